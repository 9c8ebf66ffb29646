import StrataEngine
import StrataTestSupport
import SystemPackage
import Testing

@testable import StrataShell

@Suite struct BadInputTests {
  private let items: [(String, TableBase.Item)] = [
    ("file", .file("text\n")), ("dir/inner", .file("x\n")), ("loop", .symlink("loop")),
    ("locked", .directory(mode: 0)),
  ]

  /// Commands that take paths, with what stands before and behind the path.
  static let forms: [(String, String, String)] = [
    ("cat", "", ""), ("cd", "", ""), ("head", "", ""), ("tail", "", ""), ("ls", "", ""),
    ("stat", "", ""), ("readlink", "", ""), ("hexdump", "", ""), ("grep", "x ", ""), ("du", "", ""),
    ("find", "", ""), ("tree", "", ""), ("xattr", "", ""), ("rm", "", ""), ("rmdir", "", ""),
    ("chmod", "644 ", ""), ("chown", "0 ", ""), ("mv", "", " /new"), ("cp", "", " /new"),
    ("ln", "", " /new"), ("why", "", ""), ("pages", "", ""), ("truncate", "-s 1 ", "/x"),
    ("source", "", ""), ("copy-out", "", " out"), ("plugin", "load ", ""),
  ]

  private func isOneLine(_ text: String) -> Bool {
    text.hasSuffix("\n") && text.dropLast().allSatisfy { $0 != "\n" }
  }

  @Test(
    arguments: forms,
    [
      "/missing", "/file/x", "/" + String(repeating: "n", count: 256), "$'/\\xff\\xfe'", "/loop/x",
    ])
  func `a path that leads nowhere gives one clear line`(
    form: (String, String, String), path: String
  ) throws {
    let shell = try Shell(items)
    let line = "\(form.0) \(form.1)\(path)\(form.2)"
    let result = shell.run(line)
    #expect(result.status == (form.0 == "grep" ? 2 : 1), "\(line): \(result)")
    #expect(isOneLine(result.error), "\(line): \(result)")
    #expect(result.error.hasPrefix("\(form.0): "), "\(line): \(result)")
  }

  @Test(arguments: [
    "cat", "head", "tail", "hexdump", "pages", "rm", "write", "source", "truncate -s 1",
  ])
  func `a directory in place of a file is told`(command: String) throws {
    let result = try Shell(items).run("\(command) /dir")
    #expect(result.error.contains("/dir: Is a directory\n"), "\(result)")
    #expect(isOneLine(result.error))
    #expect(result.status == 1)
  }

  @Test func `a NUL byte in a line is refused with its place`() throws {
    let result = try Shell(items).run(Array("cat a\0b".utf8))
    #expect(result.error.hasPrefix("strata: line 1, column 6: a NUL byte in a command\n"))
    #expect(result.status == 64)
    let quoted = try Shell(items).run("cat $'a\\x00b'")
    #expect(quoted.error == "cat: $'a\\x00b': Invalid argument (a path cannot hold NUL)\n")
  }

  @Test func `a directory that may not be read is told, and the rest is listed`() throws {
    let shell = try Shell(items, caller: Caller(uid: 1000, gid: 1000))
    let result = shell.run("find /")
    #expect(result.error == "find: /locked: Permission denied\n")
    #expect(result.output.contains("/dir/inner\n"))
    #expect(result.status == 1)
  }

  @Test func `every command tells of an option that it does not have, or takes it as text`() throws
  {
    for command in Command.all {
      if case .raw = command.parsing { continue }
      let result = try Shell(items).run("\(command.name) --no-such-option")
      #expect(result.status == 64, "\(command.name): \(result)")
      #expect(result.error.hasPrefix("\(command.name): unknown option --no-such-option"))
      #expect(result.error.contains("\nusage: \(command.name)"))
    }
  }

  @Test func `every command that needs arguments says which`() throws {
    let needing = [
      "write", "mkdir", "rmdir", "rm", "mv", "cp", "ln", "readlink", "chmod", "chown", "touch",
      "truncate", "stat", "grep", "xattr", "switch", "drop", "why", "pages", "source", "copy-in",
      "copy-out", "plugin load", "truncate -s x file", "chmod 9 file", "touch -d never f",
    ]
    for line in needing {
      let result = try Shell(items).run(line)
      #expect(result.status == 64, "\(line): \(result)")
      #expect(result.error.contains("\nusage: "), "\(line): \(result)")
    }
  }

  @Test func `a base that fails shows its error and loses nothing`() throws {
    let table = TableBase("table", [("f", .file("x\n"))])
    let workspace = try Workspace(bases: [table]) { 0 }
    let session = Session(workspace: workspace, host: TestHost(), caller: Caller())
    let (out, err) = (MemorySink(), MemorySink())
    let output = Output(standardOutput: out, standardError: err)
    table.fail("f", with: .ioError)
    #expect(session.run(Array("cat f".utf8), output: output) == 1)
    #expect(
      String(decoding: err.take(), as: UTF8.self) == "cat: f: Input/output error (made to fail)\n")
    table.fail("f", with: nil)
    #expect(session.run(Array("cat f".utf8), output: output) == 0)
    #expect(out.take() == Array("x\n".utf8))
  }
}
