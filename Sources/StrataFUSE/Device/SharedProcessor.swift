/// Whether a worker shares its processor with the programs whose requests it answers.
///
/// One who looks for the next request keeps from running who would send it, if both are on the same
/// processor: a yield is heeded only at the end of a turn. The kernel begins a worker's turn where the
/// program is that asks, and wakes a program where it was before or where it is answered. So a worker
/// leaves the processor of who begins to ask one thing after another, while it has run little: later
/// the program would mostly be taken along. One whose yields are taken up request after request leaves
/// as well, ever more seldom where that does not help, and otherwise sleeps for a while instead of
/// looking: to be woken on the same processor takes less than a yield.
struct SharedProcessor {
  /// From how many nanoseconds on a yield was taken up: otherwise it returns at once.
  private static let taken: Int64 = 8_000
  /// After how many requests in a row.
  private static let many = 3
  /// For how many requests a worker sleeps until it looks again.
  private static let rest = 32
  /// How long after a move another one is tried at the soonest, in nanoseconds, and at the latest.
  private static let shortest: Int64 = 10_000_000
  private static let longest: Int64 = 640_000_000

  private var inRow = 0
  private var lastMove: Int64 = 0
  private var pause = shortest
  private var hasYielded = false
  private var left = 0

  /// Whether looking for the next request only keeps it from coming.
  var isShared: Bool { left > 0 }

  /// A yield has begun and ended at these times.
  mutating func yielded(from start: Int64, to end: Int64) {
    if end - start >= Self.taken { hasYielded = true }
  }

  /// A request has been waited for.
  /// - Returns: whether to leave, if it is who asks that is on the same processor.
  mutating func waited(until now: Int64) -> Bool {
    defer { hasYielded = false }
    if left > 0 {
      left -= 1
      return false
    }
    inRow = hasYielded ? inRow + 1 : 0
    guard inRow >= Self.many else { return false }
    // Once is enough from now on, until it is not so.
    (inRow, left) = (Self.many - 1, Self.rest)
    return now - lastMove >= pause
  }

  /// The worker has moved.
  mutating func left(at now: Int64) {
    // Soon again: there is somebody everywhere.
    pause = now - lastMove < 4 * pause ? min(2 * pause, Self.longest) : Self.shortest
    (lastMove, inRow, left) = (now, 0, 0)
  }
}
