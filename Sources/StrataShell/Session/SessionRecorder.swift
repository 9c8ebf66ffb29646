/// What keeps the statements of a session with all that they write, as a transcript does.
public protocol SessionRecorder: AnyObject {
  /// Whether there is anything to keep now.
  var isOn: Bool { get }
  /// Runs a statement, while it is on.
  /// - Parameters:
  ///   - source: as it was typed, or stands in a script.
  ///   - run: runs it, with its output where it is told.
  /// - Returns: its status.
  func step(
    _ session: Session, _ source: [UInt8], _ output: Output, _ run: (Output) -> Int32
  ) -> Int32
}

extension Session {
  /// Runs a statement, and has it recorded unless it is part of another one.
  func step(
    _ source: @autoclosure () -> [UInt8], _ output: Output, _ run: (Output) -> Int32
  ) -> Int32 {
    guard depth == 1, let recorder, recorder.isOn else { return run(output) }
    return recorder.step(self, source(), output, run)
  }
}
