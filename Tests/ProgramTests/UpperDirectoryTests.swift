import Glibc
import StrataTestSupport
import Testing

/// Mounts with `upperdir=` in which something goes wrong. Needs root and FUSE.
@Suite(.enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0))
struct UpperDirectoryTests {
  /// A file system of its own.
  private let disk: TemporaryDirectory
  private let place: TemporaryDirectory

  init() throws {
    disk = try TemporaryDirectory()
    place = try TemporaryDirectory()
    try sh("mount -t tmpfs -o size=3m none '\(disk.path)'", in: "/")
    try sh("mkdir lower upper work; echo one > lower/a", in: disk.path)
  }

  private func end() {
    for path in [place.path, disk.path, disk.path] {
      _ = try? ChildProcess(["umount", "-l", path])
    }
  }

  @discardableResult
  private func sh(_ script: String, in directory: String) throws -> String {
    let child = try ChildProcess([
      "timeout", "-s", "KILL", "60", "sh", "-ec", "cd '\(directory)'; \(script)",
    ])
    #expect(child.status == 0, "\(script): \(child.text)")
    return child.text
  }

  private func mount(_ lower: String, _ upper: String, at place: String) throws {
    let options = "lowerdir=\(lower),upperdir=\(upper),workdir=\(disk.path)/work"
    let mounted = try Finished.strata(["mount-helper", "none", place, "-o", options], in: "/")
    #expect(mounted.status == 0, "\(mounted)")
  }

  /// Kills the process that serves the mount, and takes away what is left of it.
  private func killServer(of place: String) throws {
    try sh(
      """
      for process in /proc/[0-9]*; do
        if tr '\\0' ' ' < $process/cmdline 2>/dev/null | grep -q -e '--serve-mount.* \(place) '; then
          kill -9 ${process#/proc/}
          while test -e $process && ! grep -q 'State:.Z' $process/status; do sleep 0.01; done
          umount -l '\(place)' 2>/dev/null || true
          exit 0
        fi
      done
      exit 1
      """, in: "/")
  }

  @Test(arguments: [
    "lowerdir=lower,upperdir=lower,workdir=work",
    "lowerdir=upper/d,upperdir=upper,workdir=work", "lowerdir=lower,upperdir=upper,workdir=upper",
    "lowerdir=lower,upperdir=upper,workdir=upper/d", "lowerdir=lower,upperdir=upper,workdir=none",
    "lowerdir=lower,upperdir=upper,workdir=/dev", "lowerdir=lower,upperdir=upper,workspace=work",
  ])
  func `directories that are in each other's way are refused`(_ options: String) throws {
    defer { end() }
    try sh("mkdir lower/d upper/d", in: disk.path)
    let mounted = try Finished.strata(
      ["mount-helper", "none", place.path, "-o", options], in: disk.path)
    #expect(mounted.status == 32, "\(mounted)")
    #expect(try sh("cat lower/a; ls -A work", in: disk.path) == "one\n")
  }

  @Test func `what means something in the format is kept as the program has made it`() throws {
    defer { end() }
    try sh("mkdir lower/d; echo two > lower/d/b", in: disk.path)
    let names = [
      "trusted.overlay.opaque", "user.overlay.redirect", "trusted.overlay.overlay.x",
      "user.overlay.mine",
    ]
    for isFirst in [true, false] {
      try mount("\(disk.path)/lower", "\(disk.path)/upper", at: place.path)
      let make = isFirst ? "os.setxattr('d', name, b'y')" : "pass"
      let said = try sh(
        """
        python3 -c "
        import os, stat
        for name in \(names.map { "'\($0)'" }):
            \(make)
            print(name, os.getxattr('d', name), len(os.listxattr('d')))
        print(os.listdir('d'))
        try: os.mknod('w', stat.S_IFCHR | 0o600, 0)
        except OSError as error: print(error.errno)
        "
        """, in: place.path)
      let counts = isFirst ? [1, 2, 3, 4] : [4, 4, 4, 4]
      let lines = zip(names, counts).map { "\($0) b'y' \($1)\n" }.joined()
      #expect(said == lines + "['b']\n1\n")
      let ended = try Finished.strata(["umount-helper", place.path], in: "/")
      #expect(ended.status == 0, "\(ended)")
    }
    // What the format has no use for is written as it is.
    let seen = try sh("getfattr -n user.overlay.mine --only-values upper/d", in: disk.path)
    #expect(seen == "y")
  }

  @Test func `what the upper directory's file system cannot hold is refused at the call`() throws {
    defer { end() }
    let own = try TemporaryDirectory()
    defer { _ = try? ChildProcess(["umount", "-l", "\(own.path)/e"]) }
    try sh(
      """
      truncate -s 64M image; mkfs.ext4 -q -b 4096 image; mkdir e; mount -o loop image e
      mkdir e/lower e/upper e/work; echo low > e/lower/low
      """, in: own.path)
    let place = own.path + "/e"
    let options = "lowerdir=\(place)/lower,upperdir=\(place)/upper,workdir=\(place)/work"
    let mounted = try Finished.strata(
      ["mount-helper", "none", self.place.path, "-o", options], in: "/")
    #expect(mounted.status == 0, "\(mounted)")
    let deeds = """
      import os, errno
      def refused(what, *arguments):
          try: what(*arguments)
          except OSError as error: return errno.errorcode[error.errno]
      open("mine", "w").close()
      print(refused(os.truncate, "mine", 100 << 40), refused(os.setxattr, "low", "user.a", b"x" * 65536))
      file = os.open("mine", os.O_RDWR)
      print(refused(os.pwrite, file, b"x", 100 << 40), refused(os.posix_fallocate, file, 0, 100 << 40))
      os.setxattr("low", "user.a", b"x" * 3000)
      for number in range(64999): os.link("mine", f"l{number}")
      print(refused(os.link, "mine", "one too many"), os.stat("mine").st_nlink)
      for number in range(64999): os.unlink(f"l{number}")
      """
    try own.write("deeds.py", deeds)
    let said = try sh("python3 '\(own.path)/deeds.py'; echo more >> low", in: self.place.path)
    #expect(said == "EFBIG ENOSPC\nEFBIG EFBIG\nEMLINK 65000\n")
    #expect(try Finished.strata(["umount-helper", self.place.path], in: "/").status == 0)
    #expect(try sh("cat e/upper/low; ls e/upper | wc -l", in: own.path) == "low\nmore\n2\n")
  }

  @Test func `what a write-back that was killed has left is nobody's content`() throws {
    defer { end() }
    try mount("\(disk.path)/lower", "\(disk.path)/upper", at: place.path)
    try sh("head -c 1500000 /dev/zero > big", in: place.path)
    try sh("head -c 50000000 /dev/zero > filler 2> /dev/null || :", in: disk.path)
    #expect(try Finished.strata(["umount-helper", place.path], in: "/").status == 32)
    for _ in 0..<100 where access("\(disk.path)/upper/.strata-1", F_OK) != 0 { usleep(50_000) }
    try killServer(of: place.path)
    try sh("rm filler", in: disk.path)
    #expect(try sh("ls -A upper", in: disk.path) == ".strata-1\n")
    try mount("\(disk.path)/lower", "\(disk.path)/upper", at: place.path)
    #expect(try sh("ls -A", in: place.path) == "a\n")
    #expect(try sh("ls -A upper", in: disk.path) == "")
    // The name is as good as any other for who asks for it.
    let make = "mkdir .strata-1; echo mine > .strata-1/mine; sync .; rm a; sync ."
    try sh("\(make); echo more >> .strata-1/mine", in: place.path)
    for _ in 1...2 {
      #expect(try Finished.strata(["umount-helper", place.path], in: "/").status == 0)
      #expect(try sh("ls -A upper", in: disk.path) == ".strata-1\na\n")
      try mount("\(disk.path)/lower", "\(disk.path)/upper", at: place.path)
      #expect(try sh("ls -A; cat .strata-1/mine", in: place.path) == ".strata-1\nmine\nmore\n")
    }
  }

  @Test func `an upper directory below the mount point is written to, not the fork`() throws {
    defer { end() }
    try sh("mkdir .upper", in: disk.path)
    try mount(disk.path, "\(disk.path)/.upper", at: disk.path)
    try sh("echo two > b; sync .; echo more >> lower/a; sync .", in: disk.path)
    #expect(try sh("find .upper", in: disk.path).contains(".strata") == false)
    // What was synced is there without a last word of the process.
    try killServer(of: disk.path)
    let want = ".\n./b\n./lower\n./lower/a\n"
    #expect(
      try sh("find . | sort; cat b lower/a", in: "\(disk.path)/.upper") == want + "two\none\nmore\n"
    )
    try mount(disk.path, "\(disk.path)/.upper", at: disk.path)
    #expect(try sh("cat b lower/a; rm b; sync .", in: disk.path) == "two\none\nmore\n")
    #expect(try Finished.strata(["umount-helper", disk.path], in: "/").status == 0)
    #expect(try sh("find . | sort", in: "\(disk.path)/.upper") == ".\n./lower\n./lower/a\n")
  }

  @Test func `directories are synced while other programs remove what is in them`() throws {
    defer { end() }
    try mount("\(disk.path)/lower", "\(disk.path)/upper", at: place.path)
    let script = StrataProgram.root + "/Tests/Conformance/sync_while_changing.py"
    let check = try ChildProcess(["timeout", "60", "python3", script, place.path])
    #expect(check.status == 0, "\(check.text)")
    let want = try sh("find . | sort", in: place.path)
    #expect(try Finished.strata(["umount-helper", place.path], in: "/").status == 0)
    try mount("\(disk.path)/lower", "\(disk.path)/upper", at: place.path)
    #expect(try sh("find . | sort", in: place.path) == want)
  }

  @Test func `a mount that another namespace still has is written back when it is unmounted`()
    throws
  {
    defer { end() }
    try mount("\(disk.path)/lower", "\(disk.path)/upper", at: place.path)
    try sh(
      """
      unshare -m --propagation private sh -c 'touch ready; exec sleep 60' > /dev/null 2>&1 & other=$!
      until test -e ready; do sleep 0.01; done
      echo two > '\(place.path)/b'; '\(StrataProgram.path)' umount-helper '\(place.path)'
      cat upper/b; kill $other
      """, in: disk.path)
  }

  /// In a mount namespace with helpers and a table of its own, so that those of the machine stay as
  /// they are.
  @Test func `umount(8) comes back when all is written, and its table is as before`() throws {
    defer { end() }
    try sh("mount -o remount,size=64m '\(disk.path)'; mkdir helpers 'd e'", in: disk.path)
    for name in ["mount", "umount"] {
      let helper = "#!/bin/sh\nexec '\(StrataProgram.path)' \(name)-helper \"$@\"\n"
      try disk.write("helpers/\(name).fuse.strata", helper, mode: 0o755)
    }
    try disk.write(
      "script",
      """
      set -e
      mount --make-rprivate /
      # Those of other tests are not to be kept here.
      for other in $(grep -o ' /tmp/strata-test[^ ]*' /proc/self/mounts); do
        test $other = $PWD || command umount -l -i $other || true
      done 2>/dev/null
      mount -t tmpfs none /run/mount
      mount -t overlay -o lowerdir=$PWD/helpers:/usr/sbin none /usr/sbin
      options=lowerdir=lower,upperdir=upper,workdir=work
      mount() { command mount -t fuse.strata none "$1" -o $options$2; }
      table() { echo "$1:"; sed 's/strata:[0-9]*/strata:N/; s, $,,' /run/mount/utab; }
      server() { sed -n 's/^SRC=strata:\\([0-9]*\\).*/\\1/p' /run/mount/utab; }
      detach() { python3 -c "import ctypes; exit(ctypes.CDLL(None).umount2(b'$1', $2))"; }
      wait_for_end() { tail --pid=$1 -f /dev/null; }

      mount 'd e' ,x-strata.test=1; table mounted
      for n in $(seq 2000); do echo $n > "d e/f$n"; done
      umount "$PWD/d e"; ls upper | wc -l; table unmounted
      mount 'd e'; command mount -o remount,ro "$PWD/d e"; touch 'd e/no' 2>/dev/null || echo read-only
      command mount -o remount,rw "$PWD/d e"; touch 'd e/f1'; umount "$PWD/d e"; table remounted
      mount \(place.path); echo more > \(place.path)/more
      unshare -m --propagation private umount \(place.path)
      umount \(place.path); ls upper | wc -l; table 'after another namespace'
      mount \(place.path); process=$(server); detach \(place.path) 0
      wait_for_end $process; table 'after a program'
      mount \(place.path); process=$(server); exec 7> \(place.path)/busy
      umount \(place.path) 2>/dev/null || echo busy
      umount -l \(place.path); exec 7>&-; wait_for_end $process; ls upper/busy; table lazily
      mount \(place.path); process=$(server); kill -9 $process; wait_for_end $process
      umount \(place.path); table killed
      mount \(place.path); process=$(server); kill -9 $process; wait_for_end $process
      detach \(place.path) 2; mount \(place.path); umount \(place.path); table 'killed before'
      umount /run/mount; command mount -t tmpfs -o ro none /run/mount
      mount \(place.path); umount \(place.path); ls -A /run/mount
      """)
    let done = try sh("unshare -m sh script 2>&1", in: disk.path)
    #expect(
      done == """
        mounted:
        SRC=strata:N TARGET=\(disk.path)/d\\040e ROOT=/
        SRC=none TARGET=\(disk.path)/d\\040e ROOT=/ OPTS=x-strata.test=1
        2000
        unmounted:
        read-only
        remounted:
        2001
        after another namespace:
        after a program:
        busy
        upper/busy
        lazily:
        killed:
        killed before:

        """, "\(done)")
  }

  @Test func `without descriptors to be had, no mount is left that nobody serves`() throws {
    defer { end() }
    var failures = 0
    for limit in 8..<40 {
      let script =
        "ulimit -n \(limit); exec '\(StrataProgram.path)' --base lower -c 'mount main \(place.path)'"
      let child = try ChildProcess(["timeout", "60", "sh", "-c", "cd '\(disk.path)'; \(script)"])
      if child.status != 0 { failures += 1 }
      let mounts = try String(decoding: contentsOfMounts(), as: UTF8.self)
      #expect(!mounts.contains(" \(place.path) "), "\(limit): \(child.text)")
      if mounts.contains(" \(place.path) ") { _ = try? ChildProcess(["umount", "-l", place.path]) }
    }
    #expect(failures > 0 && failures < 32)
  }

  private func contentsOfMounts() throws -> [UInt8] {
    Array(try sh("cat /proc/self/mounts", in: "/").utf8)
  }
}
