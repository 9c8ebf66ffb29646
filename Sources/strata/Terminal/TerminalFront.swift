internal import Glibc
internal import StrataEngine
internal import StrataShell

/// The session of a person at a terminal: prompt, line, result, until `exit` or Ctrl-D.
final class TerminalFront {
  private let session: any FrontSession
  private let terminal: Terminal
  private var history: HistoryFile

  private init(_ session: any FrontSession, _ terminal: Terminal, _ history: HistoryFile) {
    self.session = session
    self.terminal = terminal
    self.history = history
  }

  /// - Parameter opening: the words of a `record` that comes first; nothing follows unless it begins
  ///   a transcript.
  /// - Returns: the status to leave with.
  static func run(
    _ session: any FrontSession, readsRc: Bool, opening: [[UInt8]] = []
  ) -> Int32 {
    let terminal = Terminal(
      complete: { session.complete($0, cursor: $1) }, interrupt: session.interrupt)
    guard let terminal else {
      Complaint("the terminal cannot be set up: \(FileError.last.text)").show()
      return ExitStatus.failure
    }
    let directories = UserDirectories(environment: MachineHost().environment)
    let history = HistoryFile(path: directories.makeHistoryFile())
    let front = TerminalFront(session, terminal, history)
    front.tellHistoryProblem()
    session.begin(FrontStart(keepsGoing: true, history: history.lines()))
    defer { session.end() }
    if readsRc, let file = directories.rcFile { front.read(rcFile: file) }
    if !opening.isEmpty {
      let status = session.run(FrontSource(text: .words(opening)))
      guard session.state.isRecording else { return status }
    }
    return front.loop()
  }

  private func read(rcFile file: [UInt8]) {
    do throws(FileError) {
      let text = try MachineHost().contents(of: file)
      _ = session.run(
        FrontSource(text: .source(text), name: "\(ShownName(file))", readsInput: false))
    } catch {
      if error.errno != .noSuchFileOrDirectory {
        Complaint("\(ShownName(file)): \(error.text)").show()
      }
    }
  }

  private func loop() -> Int32 {
    while session.state.exitStatus == nil {
      // A Ctrl-C for the command that is over is not one for the next.
      terminal.settle()
      session.resetInterrupt()
      switch readCommand() {
      case .line(let source): run(source)
      case .interrupted: continue
      case .terminated(let number): return 128 + number
      case .end:
        // The prompt's line is left, as `exit` would.
        try? DescriptorSink(1).write([UInt8(ascii: "\n")])
        return ExitStatus.success
      }
    }
    return session.state.exitStatus ?? 0
  }

  /// A line, and more of them as long as the grammar wants more.
  private func readCommand() -> Terminal.Input {
    var source: [UInt8] = []
    while true {
      let isFirst = source.isEmpty
      let input = terminal.read(
        prompt: isFirst ? session.state.prompt : Session.continuationPrompt)
      switch input {
      case .line(let line):
        source += (isFirst ? [] : [UInt8(ascii: "\n")]) + line
        if !Session.needsMore(source) { return .line(source) }
      case .end where !isFirst:
        // What there is, with the message that something is missing.
        return .line(source)
      case .interrupted, .end, .terminated: return input
      }
    }
  }

  /// Once: a disk that is full now is so at the next line, too.
  private func tellHistoryProblem() {
    guard let problem = history.takeProblem() else { return }
    Complaint("the history file: \(problem.text)").show()
  }

  private func run(_ source: [UInt8]) {
    guard source.contains(where: { $0 > 0x20 }) else { return }
    history.add(source)
    tellHistoryProblem()
    _ = session.run(FrontSource(text: .source(source), isTyped: true))
  }
}
