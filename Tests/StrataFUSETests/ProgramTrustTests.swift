import Glibc
import Testing

@testable import StrataFUSE

/// Who may leave set-group-ID. Needs root.
@Suite(.enabled(if: geteuid() == 0)) struct ProgramTrustTests {
  private let group: UInt32 = 54_321

  @Test func `the superuser may leave set-group-ID on a file of any group`() {
    #expect(Program.isTrusted(UInt32(getpid()), withGroup: group))
  }

  @Test func `who is the superuser of a user namespace of its own may not`() throws {
    let script = "exec unshare --user --map-root-user sh -c 'echo $$; exec sleep 60'"
    let output = try #require(popen(script, "r"))
    defer { pclose(output) }
    var line = [CChar](repeating: 0, count: 64)
    // Written in the namespace; nothing where the system gives none.
    guard fgets(&line, Int32(line.count), output) != nil else { return }
    let text = line.prefix { $0 != 10 }.map { UInt8(bitPattern: $0) }
    let pid = try #require(pid_t(String(decoding: text, as: UTF8.self)))
    defer { kill(pid, SIGKILL) }
    #expect(!Program.isTrusted(UInt32(pid), withGroup: group))
  }
}
