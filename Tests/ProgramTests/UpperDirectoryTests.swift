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

  @Test func `what a write-back that was killed has left is nobody's content`() throws {
    defer { end() }
    try mount("\(disk.path)/lower", "\(disk.path)/upper", at: place.path)
    try sh("head -c 5000000 /dev/zero > big", in: place.path)
    #expect(try Finished.strata(["umount-helper", place.path], in: "/").status == 32)
    for _ in 0..<100 where access("\(disk.path)/upper/.strata-1", F_OK) != 0 { usleep(50_000) }
    try killServer(of: place.path)
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
