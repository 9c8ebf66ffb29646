import StrataShell
import Testing

/// JSON as it is read.
@Suite struct JSONParsingTests {
  private func parse(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }

  @Test func `values of all kinds are read`() throws {
    #expect(
      try parse(#" {"a":[1,-2.5e3,true,false,null],"b":{},"c":"\u00e9\n\ud83d\ude00\"\/"} "#)
        == .members([
          "a": .array([.integer(1), .number(-2500), .bool(true), .bool(false), .null]),
          "b": .object([]), "c": .string("é\n😀\"/"),
        ]))
    #expect(try parse("9223372036854775807") == .integer(.max))
    #expect(try parse("9223372036854775808") == .number(9.223372036854775808e18))
    #expect(try parse("-0") == .integer(0))
  }

  @Test func `what is written is read again`() throws {
    let value: JSON = .members([
      "t": .string("a\u{0}\u{7F}\u{1F600}\"\\\t"), "n": .bytes([0xFF, 0x00, 0x41]),
      "d": .number(0.1), "e": .array([.array([]), .object([])]),
    ])
    #expect(try parse(value.serialized) == value)
    for count in 0..<20 {
      let bytes = (0..<count).map { UInt8($0) &* 37 &+ 200 }
      #expect(JSON.bytes([0xFF] + bytes).bytesValue == [0xFF] + bytes)
    }
    #expect(JSON.bytes(Array("text".utf8)).bytesValue == Array("text".utf8))
  }

  @Test(arguments: [
    "", " ", "{", "}", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "'a'", "01",
    "1.", ".5", "+1", "1e", "-", "tru", "truee", "nul", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"",
    "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"a\nb\"", "1 2", "[1 2]", "NaN", "1e999", "\u{FEFF}1",
    "// c\n1",
  ])
  func `what is no JSON is not read`(text: String) {
    #expect(throws: JSON.SyntaxError.self) { try parse(text) }
  }

  @Test func `the nest may be so deep and no deeper`() throws {
    func nest(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try parse(nest(JSON.deepest))
    #expect(throws: JSON.SyntaxError.self) { try parse(nest(JSON.deepest + 1)) }
    #expect(throws: JSON.SyntaxError.self) { try JSON(parsing: [0x22, 0xFF, 0x22]) }
  }

  @Test(arguments: ["A", "AAA", "AAAA=", "A===", "AA=A", "AB==", "AAB=", "A A=", "AA\n="])
  func `what is no base 64 is no bytes`(text: String) {
    #expect(JSON.members(["b64": .string(text)]).bytesValue == nil)
  }
}
