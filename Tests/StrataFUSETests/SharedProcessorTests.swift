import Testing

@testable import StrataFUSE

/// When a worker finds that it keeps from running who would ask it.
@Suite struct SharedProcessorTests {
  private func wait(_ processor: inout SharedProcessor, yields: [Int64]) {
    for time in yields { processor.yielded(from: 0, to: time) }
    processor.waited()
  }

  @Test func `yields that are taken up for three requests in a row mean that it is shared`() {
    var processor = SharedProcessor()
    for _ in 0..<2 { wait(&processor, yields: [300, 90_000, 300]) }
    #expect(!processor.isShared)
    wait(&processor, yields: [300])
    for _ in 0..<2 { wait(&processor, yields: [50_000]) }
    #expect(!processor.isShared)
    wait(&processor, yields: [50_000])
    #expect(processor.isShared)
    // Who sleeps has no yields to judge by.
    wait(&processor, yields: [])
    #expect(processor.isShared)
  }

  @Test func `it looks again after a move, and moves seldom`() {
    var processor = SharedProcessor()
    for _ in 0..<3 { wait(&processor, yields: [50_000]) }
    processor.leave(at: 1_000_000_000)
    let hasMoved = !processor.isShared
    for _ in 0..<3 { wait(&processor, yields: [50_000]) }
    processor.leave(at: 1_001_000_000)
    #expect(processor.isShared)
    processor.leave(at: 1_020_000_000)
    #expect(processor.isShared != hasMoved)
  }
}
