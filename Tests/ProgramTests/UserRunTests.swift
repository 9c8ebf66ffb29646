import Glibc
import StrataTestSupport
import Testing

/// `run` and `mount` for who is not the superuser. Needs root, to become somebody else.
@Suite(.enabled(if: geteuid() == 0 && access("/dev/fuse", R_OK) == 0))
struct UserRunTests {
  let tree: TemporaryDirectory
  private static let user = 4321

  init() throws {
    tree = try TemporaryDirectory()
    try tree.write("a.txt", "one\n")
    try tree.write("Makefile", "all:\n\tcp a.txt out\n\tid -u > who; id -g >> who\n")
    _ = try ChildProcess(["chown", "-R", "\(Self.user):\(Self.user)", tree.path])
  }

  /// Runs strata as a user; the device can be opened by users, as it can on most machines.
  private func strata(
    _ words: [String], device: Bool = true, user: Int = Self.user
  ) throws -> Finished {
    let make = """
      cd "$0/.."; node=$(mktemp -u ./device.XXXXXX); mknod $node c 10 229; chmod \
      \(device ? "666" : "600") $node; mount --bind $node /dev/fuse; rm $node; cd "$0"
      exec setpriv --reuid \(user) --regid \(user) --clear-groups "$@"
      """
    return try Finished.run(
      "/usr/bin/unshare", ["-m", "sh", "-ec", make, tree.path, StrataProgram.path] + words)
  }

  @Test func `a user runs programs in a fork, as the user`() throws {
    let result = try strata(["run", "-q", "--", "sh", "-c", "make -s; cat who out; ls -n a.txt"])
    #expect(result.status == 0, "\(result)")
    let lines = result.output.split(separator: "\n").map(String.init)
    #expect(lines.prefix(3) == ["4321", "4321", "one"])
    #expect(lines.last?.contains(" 4321 4321 ") == true)
    #expect(access("\(tree.path)/out", F_OK) != 0)
    #expect(try strata(["run", "--", "sh", "-c", "exit 3"]).status == 3)
    #expect(try strata(["run", "--", "no-such-program"]).status == 127)
    let alone = try strata(
      ["run", "-q", "--net=no", "--contain", "--", "sh", "-c", "echo $$; ls /sys/class/net"])
    #expect(alone.output.hasPrefix("2\n"), "\(alone)")
  }

  @Test func `a user's run is in the log, and clients inside reach the owner`() throws {
    #expect(try strata(["init"]).status == 0)
    let program = StrataProgram.path
    let script = """
      echo two > b.txt; \(program) diff --name-status; \(program) fork x
      \(program) run -q --fork x -- sh -c 'cat b.txt; \(program) -c "write nested yes"'
      """
    let result = try strata(["run", "--", "sh", "-ec", script])
    #expect(result.output == "A /b.txt\ntwo\n", "\(result)")
    #expect(try strata(["log", "--json"]).output.contains("run --"))
    #expect(try strata(["-c", "switch x; cat nested"]).output == "yes\n")
    #expect(try strata(["undo"]).status == 0)
    #expect(try strata(["ls"]).output == "Makefile\na.txt\n")
  }

  @Test(.enabled(if: access("/usr/bin/fusermount3", X_OK) == 0))
  func `a user mounts by fusermount3`() throws {
    let place = try TemporaryDirectory()
    // fusermount3 wants one that has a name.
    let nobody = 65534
    _ = try ChildProcess(["chown", "\(nobody)", tree.path, place.path])
    let lines = """
      mount main \(place.path)
      mounts
      !sh -c 'cd \(place.path); cat a.txt; echo two > b.txt; id -u'
      cat b.txt
      umount \(place.path)
      !ls \(place.path)
      """
    let result = try strata(["--base", tree.path, "-c", lines], user: nobody)
    #expect(
      result.output == "\(place.path)\nmain\t\(place.path)\none\n\(nobody)\ntwo\n", "\(result)")
  }

  @Test func `a user writes what others let the user write`() throws {
    let script = """
      mkdir shared own; chown root:root shared; chmod 1777 shared; echo x > theirs
      chmod 644 theirs; echo x > group; chown \(Self.user):root own group; chmod 660 group
      """
    _ = try ChildProcess(["sh", "-ec", "cd \(tree.path); \(script)"])
    let result = try strata(
      [
        "run", "--", "sh", "-c",
        "echo y > shared/f; echo y > own/f; echo y > group; echo y > theirs",
      ])
    #expect(result.status != 0 && result.errors.contains("theirs: Permission denied"), "\(result)")
    for line in ["A /shared/f", "A /own/f", "M /group"] {
      #expect(result.errors.contains(line), "\(result)")
    }
    #expect(!result.errors.contains("M /theirs"), "\(result)")
  }

  @Test func `a user is told what is missing`() throws {
    let run = try strata(["run", "--", "true"], device: false)
    #expect(run.status == 126 && run.errors.contains("/dev/fuse"), "\(run)")
    let mount = try strata(["-c", "mount main \(tree.path)"], device: false)
    #expect(mount.status == 1, "\(mount)")
    #expect(
      mount.errors.contains("/dev/fuse") || mount.errors.contains("package fuse3"), "\(mount)")
  }
}
