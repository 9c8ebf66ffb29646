import Testing

@testable import StrataFUSE

/// When a worker finds that it keeps from running who would ask it.
@Suite struct SharedProcessorTests {
  private static let second: Int64 = 1_000_000_000

  private func wait(
    _ processor: inout SharedProcessor, yields: [Int64], until time: Int64 = second
  ) -> Bool {
    for time in yields { processor.yielded(from: 0, to: time) }
    return processor.waited(until: time)
  }

  private func share(_ processor: inout SharedProcessor, until time: Int64 = second) -> Bool {
    wait(&processor, yields: [300, 90_000, 300], until: time)
  }

  @Test func `yields that are taken up for three requests in a row make it leave, or sleep`() {
    var processor = SharedProcessor()
    #expect(!share(&processor) && !share(&processor))
    #expect(!wait(&processor, yields: [300, 300]))
    #expect(!share(&processor) && !share(&processor))
    #expect(!processor.isShared)
    #expect(share(&processor))
    #expect(processor.isShared)
    processor.left(at: Self.second)
    #expect(!processor.isShared)
  }

  @Test func `who sleeps looks again after a while, and sleeps again if it is still so`() {
    var processor = SharedProcessor()
    for _ in 0..<3 { _ = share(&processor) }
    var count = 0
    while processor.isShared, count < 1000 {
      _ = wait(&processor, yields: [])
      count += 1
    }
    #expect(10...100 ~= count)
    _ = share(&processor)
    #expect(processor.isShared)
    while processor.isShared { _ = wait(&processor, yields: []) }
    _ = wait(&processor, yields: [300])
    _ = share(&processor)
    #expect(!processor.isShared)
  }

  @Test
  func `it moves more and more seldom where that does not help, and soon again after a while`() {
    var processor = SharedProcessor()
    var time = Self.second
    func leaves(at time: Int64) -> Bool {
      var leaves = false
      for _ in 0..<3 where share(&processor, until: time) {
        leaves = true
        processor.left(at: time)
      }
      while processor.isShared { _ = wait(&processor, yields: [], until: time) }
      return leaves
    }
    var moves = 0
    for _ in 0..<1000 {
      time += 10_000_000
      if leaves(at: time) { moves += 1 }
    }
    #expect(6...25 ~= moves, "\(moves) in ten seconds")
    #expect(leaves(at: time + 10 * Self.second))
    #expect(leaves(at: time + 10 * Self.second + 11_000_000))
  }
}
