/// Writes what happens in a session as a transcript, command by command.
public enum Recorder {
  /// The format's first line, the bases and plugins of the session, and the blank line below them.
  /// - Parameters:
  ///   - bases: topmost first; names with a blank in them cannot be written and are left out.
  ///   - plugins: the files that are loaded.
  public static func header(bases: [[UInt8]], plugins: [[UInt8]]) -> [UInt8] {
    var lines = [TranscriptSyntax.currentHeader]
    let isWord = { (path: [UInt8]) in !path.isEmpty && !path.contains { $0 <= 0x20 } }
    lines += bases.filter(isWord).map { Array("//base ".utf8) + $0 }
    lines += plugins.filter(isWord).map { Array("//plugin ".utf8) + $0 }
    return text(lines + [[]])
  }

  /// The steps that lead from the root of a new `main`, where a replay begins, to where a session
  /// stands.
  public static func way(to session: Session) -> [UInt8] {
    let root = [UInt8(ascii: "/")]
    let (main, fork) = (session.workspace.main.name, session.fork.name)
    var way: [UInt8] = []
    func go(_ fork: String, _ command: String, _ operand: [UInt8]) {
      way += step(
        prompt: Session.prompt(fork, in: root), input: Array("\(command) ".utf8) + quoted(operand),
        outcome: ReplayOutcome())
    }
    if fork != main { go(main, "fork", Array(fork.utf8)) }
    if session.path != root { go(fork, "cd", session.path) }
    return way
  }

  /// Whether a replay finds there what the session does now: it begins with the bases alone.
  public static func canFollow(_ session: Session) -> Bool {
    !session.fork.isDirty && session.fork.value.isBare
  }

  /// One step.
  /// - Parameters:
  ///   - prompt: as it was when the command was typed.
  ///   - input: the command, without a newline at its end; more lines are a heredoc's.
  public static func step(prompt: [UInt8], input: [UInt8], outcome: ReplayOutcome) -> [UInt8] {
    let typed = input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    var lines = [prompt + (typed.first ?? [])]
    if typed.first?.isEmpty ?? true { lines[0].removeLast() }
    lines += typed.dropFirst().map { $0.isEmpty ? [UInt8(ascii: ">")] : Array("> ".utf8) + $0 }
    return text(lines + OutputLine.lines(of: outcome).map(\.rendered))
  }

  private static func text(_ lines: [[UInt8]]) -> [UInt8] {
    Array(lines.map { $0 + [UInt8(ascii: "\n")] }.joined())
  }
}
