import Testing

@testable import StrataFUSE

/// When a worker finds that it keeps from running who would ask it.
@Suite struct SharedProcessorTests {
  private func wait(_ processor: inout SharedProcessor, yields: [Int64]) {
    for time in yields { processor.yielded(from: 0, to: time) }
    processor.waited()
  }

  private func share(_ processor: inout SharedProcessor, times: Int = 3) {
    for _ in 0..<times { wait(&processor, yields: [300, 90_000, 300]) }
  }

  private func leave(_ processor: inout SharedProcessor, _ time: Int64) -> Bool {
    processor.leave(at: time)
  }

  private static let second: Int64 = 1_000_000_000

  @Test func `yields that are taken up for three requests in a row make it move`() {
    var processor = SharedProcessor()
    share(&processor, times: 2)
    wait(&processor, yields: [300, 300])
    share(&processor, times: 2)
    #expect(leave(&processor, Self.second) == false)
    share(&processor, times: 1)
    #expect(leave(&processor, Self.second) == true)
    #expect(leave(&processor, 2 * Self.second) == false)
  }

  @Test
  func `it moves more and more seldom where that does not help, and soon again after a while`() {
    var processor = SharedProcessor()
    var time = Self.second
    var moves = 0
    for _ in 0..<1000 {
      share(&processor)
      time += 10_000_000
      if processor.leave(at: time) { moves += 1 }
    }
    #expect(6...25 ~= moves, "\(moves) in ten seconds")
    share(&processor)
    #expect(leave(&processor, time + 10 * Self.second) == true)
    share(&processor)
    #expect(leave(&processor, time + 10 * Self.second + 11_000_000) == true)
  }
}
