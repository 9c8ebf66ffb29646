import Glibc
import StrataShell
import Testing

/// What the owner's socket makes of good and bad messages.
@Suite struct OwnerProtocolTests {
  let tree: TemporaryDirectory
  /// Keeps the owner there.
  let shell: TerminalProcess

  init() throws {
    tree = try TemporaryDirectory()
    try tree.write("file.txt", "content\n")
    #expect(try Finished.strata(["init"], in: tree.path).status == 0)
    shell = try TerminalProcess([], in: tree.path)
    try shell.expect("main:/> ")
  }

  private func code(_ message: JSON?) -> Int64? { message?["error"]?["code"]?.integerValue }

  @Test(
    arguments: [
      ("", -32700), ("{", -32700), ("nonsense", -32700), ("\u{0}", -32700), ("[]", -32600),
      ("1", -32600), (#"{"jsonrpc":"1.0","id":1,"method":"hello"}"#, -32600),
      (#"{"jsonrpc":"2.0","id":[],"method":"hello"}"#, -32600),
      (#"{"jsonrpc":"2.0","id":1}"#, -32600), (#"{"jsonrpc":"2.0","id":1,"method":5}"#, -32600),
      (#"{"jsonrpc":"2.0","id":1,"method":"hello","params":[]}"#, -32600),
      (#"{"jsonrpc":"2.0","id":1,"method":"nope"}"#, -32601),
      (#"{"jsonrpc":"2.0","id":1,"method":"run","params":{"line":"ls"}}"#, -32600),
      (#"{"jsonrpc":"2.0","id":1,"method":"hello","params":{"cwd":5}}"#, -32602),
      (#"{"jsonrpc":"2.0","id":1,"method":"hello","params":{"streams":true}}"#, -32602),
      (#"{"jsonrpc":"2.0","id":1,"method":"hello","params":{"color":"loud"}}"#, -32602),
      (#"{"jsonrpc":"2.0","id":1,"method":"hello","params":{"protocol":99}}"#, -32001),
      (#"{"jsonrpc":"2.0","id":1,"method":"hello","params":{"fork":"none"}}"#, -32002),
    ] as [(String, Int64)])
  func `what is no request is answered with an error, and the next one works`(
    line: String, code: Int64
  ) throws {
    let client = try OwnerSocket(tree.path)
    try client.send(line)
    #expect(self.code(try client.next()) == code)
    let other = try OwnerSocket(tree.path)
    #expect(try other.call("hello").answer["result"]?["fork"] == .string("main"))
    #expect(try client.call("needs_more").answer["error"] != nil || code == -32002)
  }

  @Test func `bytes that are no text, and a deep nest, are no JSON`() throws {
    let client = try OwnerSocket(tree.path)
    try client.send([0xFF, 0xFE, UInt8(ascii: "\n")])
    #expect(code(try client.next()) == -32700)
    try client.send(String(repeating: "[", count: 1_000_000))
    #expect(code(try client.next()) == -32700)
    #expect(try client.call("hello").answer["result"] != nil)
  }

  @Test func `a line beyond the limit is refused, and the next one works`() throws {
    let client = try OwnerSocket(tree.path)
    let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
    for _ in 0..<17 { try client.send(chunk) }
    try client.send("")
    #expect(code(try client.next()) == -32600)
    #expect(try client.call("hello").answer["result"] != nil)
    let long = String(repeating: "y", count: 15 << 20)
    let ran = try client.call("run", #"{"line":"echo \#(long)"}"#)
    #expect(ran.output.utf8.count == long.utf8.count + 1)
  }

  @Test func `output comes as notifications, and the answer says where the session is`() throws {
    let client = try OwnerSocket(tree.path)
    let hello = try client.call("hello", #"{"cwd":"\#(tree.path)","env":["A=b"]}"#).answer
    #expect(hello["result"]?["pid"] == .integer(Int64(try tree.read(".strata/lock")) ?? 0))
    let first = try client.call("run", #"{"line":"fork work; mkdir /d; cd /d; !echo $A; !pwd"}"#)
    #expect(first.output == "b\n\(tree.path)\n")
    #expect(first.answer["result"]?["prompt"] == .string("work*:/d> "))
    #expect(first.answer["result"]?["path"] == .string("/d"))
    let words = try client.call("run", #"{"words":["echo","a  b"],"fork":"main","path":"/"}"#)
    #expect(words.output == "a  b\n")
    #expect(words.answer["result"]?["prompt"] == .string("main:/> "))
    let input = try client.call("run", #"{"line":"cat","stdin":{"b64":"/wA="}}"#)
    #expect(input.answer["result"]?["status"] == .integer(0))
    let json = try client.call("run", #"{"line":"forks","json":true}"#)
    #expect(try JSON(parsing: Array(json.output.utf8)).elements?.count == 2)
    let failed = try client.call("run", #"{"line":"exit 9"}"#).answer["result"]
    #expect(failed?["status"] == .integer(9))
    #expect(failed?["exit"] == .integer(9))
    let more = try client.call("needs_more", #"{"text":"echo 'a"}"#)
    #expect(more.answer["result"]?["more"] == .bool(true))
    let found = try client.call("complete", #"{"line":"cat /fi"}"#).answer["result"]
    #expect(found?["candidates"]?.elements?.first?["replacement"] == .string("/file.txt"))
  }

  @Test func `cancel stops what runs`() throws {
    let client = try OwnerSocket(tree.path)
    _ = try client.call("hello")
    try client.send(
      #"{"jsonrpc":"2.0","id":1,"method":"run","params":{"line":"!sh -c 'echo ready; exec sleep 100'"}}"#
    )
    #expect(try client.next()?["params"]?["data"] == .string("ready\n"))
    try client.send(#"{"jsonrpc":"2.0","id":2,"method":"cancel"}"#)
    let answers = [try client.next(), try client.next()]
    #expect(answers.contains { $0?["id"] == .integer(2) })
    let ran = answers.first { $0?["id"] == .integer(1) }
    #expect(ran??["result"]?["status"] == .integer(130))
    #expect(try client.call("run", #"{"line":"echo on"}"#).output == "on\n")
  }

  @Test func `who cancels again is heard again`() throws {
    let client = try OwnerSocket(tree.path)
    _ = try client.call("hello")
    try tree.write(
      "heard", "exec 2>&-\ntrap 'echo heard' INT\necho ready\nwhile :; do sleep 0.1; done")
    let line = "!exec sh \(tree.path)/heard"
    try client.send(#"{"jsonrpc":"2.0","id":1,"method":"run","params":{"line":"\#(line)"}}"#)
    #expect(try client.next()?["params"]?["data"] == .string("ready\n"))
    for _ in 0..<2 {
      try client.send(#"{"jsonrpc":"2.0","method":"cancel"}"#)
      #expect(try client.next()?["params"]?["data"] == .string("heard\n"))
    }
  }

  @Test func `a client that goes away in the middle leaves the fork free`() throws {
    do {
      let client = try OwnerSocket(tree.path)
      _ = try client.call("hello")
      // Waits for input that never comes.
      try client.send(
        #"{"jsonrpc":"2.0","id":1,"method":"run","params":{"line":"write /f","stdin":true}}"#)
      #expect(try client.next()?["method"] == .string("stdin"))
    }
    let result = try Finished.strata(["-c", "write /f free; cat /f"], in: tree.path)
    #expect(result.output == "free\n", "\(result)")
  }
}
