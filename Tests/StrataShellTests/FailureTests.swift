import StrataEngine
import Testing

@testable import StrataShell

@Suite struct FailureTests {
  @Test(arguments: [
    (FileError(.notPermitted), "Operation not permitted (p.lua)"),
    (FileError(.notPermitted, "hands off"), "Operation not permitted (p.lua: hands off)"),
    (FileError(.notPermitted, saying: "nothing to undo"), "p.lua: nothing to undo"),
  ])
  func `an error that says of what it is keeps how it reads`(error: FileError, text: String) {
    #expect(error.prefixed("p.lua").text == text)
  }
}
