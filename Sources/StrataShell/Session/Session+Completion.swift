internal import StrataEngine

extension Session {
  /// The ways to go on with the word before the cursor.
  /// - Returns: where that word starts in the line, and its candidates, in order.
  public func complete(
    _ line: [UInt8], cursor: Int
  ) -> (start: Int, candidates: [Completion]) {
    let place = CompletionPlace(Array(line.prefix(max(0, cursor))))
    return (place.start, Completer(session: self, place: place).candidates())
  }
}
