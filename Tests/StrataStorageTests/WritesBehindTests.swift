import Glibc
import StrataEngine
import StrataSystem
import StrataTestSupport
import SystemPackage
import Testing

@testable import StrataStorage

/// Writes that another thread does.
@Suite struct WritesBehindTests {
  private let directory: TemporaryDirectory
  private let behind = WritesBehind()

  init() throws { directory = try TemporaryDirectory("strata-behind") }

  private func key(_ number: Int) -> DataFiles.Key {
    .init(layer: LayerID(1), node: NodeID(UInt64(number)))
  }

  private func opened(_ name: String, _ flags: Int32 = O_RDWR | O_CREAT) throws -> Descriptor {
    let raw = open("\(directory.path)/\(name)", flags, 0o600)
    try #require(raw >= 0)
    return Descriptor(owning: raw)
  }

  private func write(
    _ bytes: [UInt8], to file: Descriptor, _ number: Int, at offset: Int
  ) throws {
    try bytes.withUnsafeBytes { try behind.write($0, to: file, key(number), at: Int64(offset)) }
  }

  @Test func `files hold what was written last, wherever the writes lie`() throws {
    var random = SeededGenerator(seed: try TestSeed.first(1))
    let files = try (0..<3).map { try opened("f\($0)") }
    var model = [[UInt8]](repeating: [], count: files.count)
    var landing = Landing()
    // As a mount does, so that what was lent is used again.
    MemoryAhead.shared.prepare()
    defer { MemoryAhead.shared.release() }
    for step in 0..<60 {
      let number = Int.random(in: 0..<3, using: &random)
      let offset = Int.random(in: 0..<2 << 20, using: &random)
      let count = Int.random(in: 1..<3 << 20, using: &random)
      let bytes = [UInt8](repeating: UInt8(step + 1), count: count)
      if count <= Landing.size {
        landing.bytes.copyBytes(from: bytes)
        let landed = UnsafeRawBufferPointer(rebasing: landing.bytes[..<count])
        try behind.write(
          landed, to: files[number], key(number), at: Int64(offset), landing: landing)
        if landing.isTaken { landing = landing.next() }
      } else {
        try write(bytes, to: files[number], number, at: offset)
      }
      let missing = offset + count - model[number].count
      if missing > 0 { model[number] += [UInt8](repeating: 0, count: missing) }
      model[number].replaceSubrange(offset..<offset + count, with: bytes)
      // The thread ends when it has been idle for a while.
      if step % 20 == 19 { usleep(150_000) }
      guard step % 4 == 0 else { continue }
      try behind.settle(key(number))
      #expect(try directory.read("f\(number)") == model[number], "step \(step)")
    }
    try behind.settle()
    #expect(behind.bytes == 0)
    for number in 0..<3 { #expect(try directory.read("f\(number)") == model[number]) }
  }

  @Test func `what the disk refuses is kept, and said to all who come`() throws {
    let full = try opened("full", O_RDONLY | O_CREAT)
    let good = try opened("good")
    let bytes = [UInt8](repeating: 1, count: 300_000)
    try write(bytes, to: full, 1, at: 0)
    for _ in 0..<2 { #expect(throws: Errno.badFileDescriptor) { try behind.settle(key(1)) } }
    #expect(throws: Errno.badFileDescriptor) { try write(bytes, to: good, 2, at: 0) }
    #expect(behind.bytes == bytes.count)
    // Somebody has mended it.
    let mended = try opened("full", O_RDWR)
    try #require(dup2(mended.rawValue, full.rawValue) >= 0)
    try write(bytes, to: good, 2, at: 0)
    try behind.settle()
    #expect(try directory.read("full") == bytes)
    #expect(try directory.read("good") == bytes)
  }

  @Test func `what is refused is forgotten with its file, and the others go on`() throws {
    let full = try opened("full", O_RDONLY | O_CREAT)
    let good = try opened("good")
    let bytes = [UInt8](repeating: 1, count: 300_000)
    try write(bytes, to: good, 2, at: 0)
    try write(bytes, to: full, 1, at: 0)
    while (try? behind.settle(key(1))) != nil {}
    behind.forget { $0 == key(1) }
    try write(bytes, to: good, 2, at: bytes.count)
    try behind.settle()
    #expect(behind.bytes == 0)
    #expect(try directory.read("good") == bytes + bytes)
  }
}
