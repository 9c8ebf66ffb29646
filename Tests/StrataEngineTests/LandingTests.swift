import StrataTestSupport
import Testing

@testable import StrataEngine

/// Large writes whose memory becomes the file's.
@Suite struct LandingTests {
  private let workspace: Workspace
  private let client: Client
  private let path = Array("/file".utf8)

  init() throws {
    workspace = try Workspace(bases: [TableBase("base", [])], clock: { 7 })
    client = Client(workspace.main, as: .superuser)
    try client.write(path, [])
  }

  private func land(_ count: Int, _ byte: UInt8, in landing: Landing, at offset: Int) throws {
    let target = UnsafeMutableRawBufferPointer(rebasing: landing.bytes[..<count])
    target.initializeMemory(as: UInt8.self, repeating: byte)
    let file = try client.open(path, [.write])
    let bytes = UnsafeRawBufferPointer(target)
    #expect(try file.write(bytes, at: Int64(offset), landing: landing) == count)
  }

  @Test func `what has landed is taken, and the next one is somewhere else`() throws {
    var landing = Landing()
    var places: Set<UnsafeMutableRawPointer> = []
    var model: [UInt8] = []
    for piece in 0..<7 {
      places.insert(try #require(landing.bytes.baseAddress))
      try land(Landing.size, UInt8(piece + 1), in: landing, at: piece * Landing.size)
      model += [UInt8](repeating: UInt8(piece + 1), count: Landing.size)
      #expect(landing.isTaken)
      landing = landing.next()
    }
    #expect(places.count == 7)
    let isSame = try client.read(path) == model
    #expect(isSame)
  }

  @Test func `small writes, and those that begin within a block, are copied`() throws {
    let landing = Landing()
    try land(Landing.size / 2, 1, in: landing, at: 0)
    #expect(!landing.isTaken)
    try land(Landing.size, 2, in: landing, at: 3 * Landing.size + 1)
    #expect(!landing.isTaken)
    // What is there already is written in its place.
    try land(Landing.size / 2, 3, in: landing, at: 0)
    let bytes = try client.read(path)
    #expect(bytes[..<(Landing.size / 2)].allSatisfy { $0 == 3 })
    #expect(bytes[(3 * Landing.size + 1)...].allSatisfy { $0 == 2 })
  }

  @Test func `what a write has behind its last whole block is kept as well`() throws {
    var landing = Landing().next()
    var model: [UInt8] = []
    for piece in 0..<4 {
      let count = Landing.size - 5000 * piece - 1
      try land(count, UInt8(piece + 1), in: landing, at: model.count)
      model += [UInt8](repeating: UInt8(piece + 1), count: count)
      #expect(landing.isTaken)
      model += [UInt8](repeating: 0, count: Block.size - model.count % Block.size)
      let content = try client.read(path)
      let isSame = content.elementsEqual(model.prefix(content.count))
      #expect(isSame, "\(piece)")
      landing = landing.next()
    }
  }

  @Test func `a fork keeps what has landed when the other one writes over it`() throws {
    let landing = Landing()
    try land(Landing.size, 1, in: landing, at: 0)
    let fork = try workspace.fork(workspace.main, named: "other")
    try land(Landing.size, 2, in: landing.next(), at: 0)
    #expect(try client.read(path) == [UInt8](repeating: 2, count: Landing.size))
    let other = Client(fork, as: .superuser)
    #expect(try other.read(path) == [UInt8](repeating: 1, count: Landing.size))
  }

  @Test func `memory that was prepared is taken, and given back where nobody wants it`() throws {
    let ahead = MemoryAhead.shared
    _ = Landing().next()
    #expect(ahead.isWanted)
    ahead.prepare()
    #expect(!ahead.isWanted)
    var landing = Landing().next()
    for piece in 0..<6 {
      try land(Landing.size, UInt8(piece), in: landing, at: piece * Landing.size)
      landing = landing.next()
    }
    ahead.release()
    let bytes = try client.read(path)
    for piece in 0..<6 { #expect(bytes[piece * Landing.size] == UInt8(piece)) }
  }
}
