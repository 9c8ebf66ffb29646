import Glibc
import StrataEngine
import StrataSystem
import StrataTestSupport
import Testing

@testable import StrataFUSE

/// What comes from the device is not believed: whatever it is, there is an answer, or none is wanted.
@Suite struct RequestTests {
  private let workspace: Workspace
  private let server: Server
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 4096)

  init() throws {
    let table = TableBase(
      "base", device: 1, [("f", .file("text")), ("d/g", .file("g")), ("d/e/h", .file(""))])
    workspace = try Workspace(bases: [table], clock: { 1_000 })
    let fork = try #require(workspace.forks.first)
    let nothing = open("/dev/null", O_RDWR)
    server = Server(
      fork, MountOptions(), device: Device(Descriptor(owning: nothing)),
      ending: Descriptor(owning: dup(nothing)))
  }

  /// The error in the answer; nil for none.
  private func ask(_ bytes: [UInt8]) -> Int32? {
    var reply = Reply(buffer)
    return bytes.withUnsafeBytes { request in
      guard let answer = server.answer(Arrival(request), &reply) else { return nil }
      #expect(answer.count >= 16 && answer.count <= buffer.count)
      #expect(answer.load(as: UInt32.self) == UInt32(answer.count))
      return -answer.load(fromByteOffset: 4, as: Int32.self)
    }
  }

  @Test func `a write whose content has landed is the same as one in a piece`() throws {
    let header = header(16, node: 3, length: 40 + 5) + [UInt8](repeating: 9, count: 40)
    let whole = header + Array("hello".utf8)
    let landing = Landing()
    landing.bytes.copyBytes(from: "hello".utf8)
    header.withUnsafeBytes { header in
      let landed = Request(Arrival(write: header, 5, in: landing))
      #expect((try? landed?.written()).map { $0.elementsEqual("hello".utf8) } == true)
      #expect((try? landed?.word(20)) == 0x0909_0909)
      // It says another length than it has.
      #expect(Request(Arrival(write: header, 4, in: landing)) == nil)
    }
    whole.withUnsafeBytes { whole in
      let request = Request(Arrival(whole))
      #expect((try? request?.written()).map { $0.elementsEqual("hello".utf8) } == true)
      #expect(Request(Arrival(UnsafeRawBufferPointer(rebasing: whole[..<60]))) == nil)
    }
  }

  private func header(
    _ opcode: UInt32, node: UInt64, length: Int, says: UInt32? = nil, extra: UInt16 = 0
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    func put<T: BitwiseCopyable>(_ value: T) { withUnsafeBytes(of: value) { bytes += $0 } }
    put(says ?? UInt32(40 + length))
    put(opcode)
    put(UInt64(7))
    put(node)
    for number: UInt32 in [0, 0, 1] { put(number) }
    put(extra)
    put(UInt16(0))
    return bytes
  }

  @Test func `what is no request is refused`() {
    #expect(ask([]) == nil)
    #expect(ask([1, 2, 3]) == nil)
    #expect(ask(header(3, node: 1, length: 0, says: 4000)) == EINVAL)
    #expect(ask(header(3, node: 1, length: 0, extra: 9000)) == EINVAL)
    #expect(ask(header(999, node: 1, length: 0)) == ENOSYS)
    #expect(ask(header(3, node: 1, length: 0)) == EINVAL)
    #expect(
      ask(header(3, node: 4_000_000, length: 16) + [UInt8](repeating: 0, count: 16)) == ESTALE)
    // Forgetting more than is there wants no answer.
    #expect(ask(header(42, node: 0, length: 8) + [255, 255, 255, 255, 0, 0, 0, 0]) == nil)
    #expect(ask(header(1, node: 1, length: 3) + Array("abc".utf8)) == EINVAL)
  }

  /// `STRATA_SEED` says where to begin, `STRATA_STEPS` how many requests.
  @Test func `any bytes are answered`() throws {
    func number(_ name: String, _ other: Int) -> Int {
      getenv(name).flatMap { Int(String(cString: $0)) } ?? other
    }
    let seed = try TestSeed.first(1)
    var random = SeededGenerator(seed: seed)
    let names = ["f", "d", "g", "new", "x", String(repeating: "n", count: 300), "", ".", ".."]
    let words: [UInt64] = [0, 1, 2, 3, 4096, 65535, 1 << 31, 1 << 32, 1 << 63, .max, .max - 4095]
    for _ in 0..<number("STRATA_STEPS", 100_000) {
      var body: [UInt8] = []
      for _ in 0..<Int.random(in: 0...12, using: &random) {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: body += Array((names.randomElement(using: &random) ?? "").utf8) + [0]
        case 1: body.append(UInt8.random(in: 0...255, using: &random))
        default:
          let word = words.randomElement(using: &random) ?? 0
          withUnsafeBytes(of: word) { body += $0.prefix(Bool.random(using: &random) ? 4 : 8) }
        }
      }
      let opcode = UInt32.random(in: 0...56, using: &random)
      let node: UInt64 =
        Int.random(in: 0..<8, using: &random) == 0
        ? words.randomElement(using: &random) ?? 0 : .random(in: 1...12, using: &random)
      // Content at an end that no file has room for is refused; a file of 2^62 zeros is no matter.
      _ = ask(
        header(
          opcode, node: node, length: body.count,
          extra: Int.random(in: 0..<9, using: &random) == 0
            ? UInt16.random(in: 0...20, using: &random) : 0) + body)
    }
    #expect(try server.fork.list(.root).count >= 2)
  }
}
