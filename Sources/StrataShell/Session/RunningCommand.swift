/// The command that runs in this thread, for those who are called from deep inside it: what a plugin
/// prints goes to the session whose command entered it.
public struct RunningCommand: Sendable {
  @TaskLocal public static var current: RunningCommand?

  public let output: Output
  /// Tells sessions of one workspace apart.
  public let session: ObjectIdentifier

  public init(output: Output, session: ObjectIdentifier) {
    self.output = output
    self.session = session
  }

  /// Whether what happens in this thread is another session's doing.
  public static func isOfAnother(_ session: ObjectIdentifier) -> Bool {
    current.map { $0.session != session } ?? false
  }
}
