internal import StrataSystem

/// Whether a worker shares its processor with the programs whose requests it answers.
///
/// One who looks for the next request keeps from running who would send it, if both are on the same
/// processor: a yield is heeded only at the end of a turn. The kernel wakes a program where it was
/// before, and looks for a free processor seldom where all are used a little. So a worker whose yields
/// are taken up request after request moves to another processor; ever more seldom where that does not
/// help, as others run there too. On the only processor there is it sleeps instead of looking.
struct SharedProcessor {
  /// From how many nanoseconds on a yield was taken up: otherwise it returns at once.
  private static let taken: Int64 = 8_000
  /// After how many requests in a row.
  private static let many = 3
  /// How long after a move another one is tried at the soonest, in nanoseconds, and at the latest.
  private static let shortest: Int64 = 10_000_000
  private static let longest: Int64 = 640_000_000

  private var inRow = 0
  private var lastMove: Int64 = 0
  private var pause = shortest
  private var hasYielded = false

  /// Whether looking for the next request only keeps it from coming.
  private(set) var isOnly = false

  /// A yield has begun and ended at these times.
  mutating func yielded(from start: Int64, to end: Int64) {
    if end - start >= Self.taken { hasYielded = true }
  }

  /// A request has been waited for.
  mutating func waited() {
    inRow = hasYielded ? inRow + 1 : 0
    hasYielded = false
  }

  /// To be called before a wait begins.
  /// - Returns: whether it has moved.
  mutating func leave(at now: Int64) -> Bool {
    let rest = now - lastMove
    if isOnly, rest >= Self.longest { isOnly = false }
    guard inRow >= Self.many, rest >= pause else { return false }
    // Soon again: there is somebody everywhere.
    pause = rest < 4 * pause ? min(2 * pause, Self.longest) : Self.shortest
    (lastMove, inRow) = (now, 0)
    isOnly = !WorkerThread.takeOtherProcessor()
    return true
  }
}
