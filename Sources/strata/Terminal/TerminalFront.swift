internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import Synchronization

/// The session of a person at a terminal: prompt, line, result, until `exit` or Ctrl-D.
final class TerminalFront {
  private let talk: Talk
  private let terminal: Terminal
  private var history: HistoryFile
  private let readsRc: Bool
  private let directories = UserDirectories(environment: MachineHost().environment)

  /// Who is talked to.
  private final class Talk {
    var session: any FrontSession {
      didSet { interrupt.set(session.interrupt) }
    }
    let interrupt: Interrupt

    init(_ session: any FrontSession) {
      self.session = session
      interrupt = Interrupt(session.interrupt)
    }
  }

  /// What a Ctrl-C calls, from another thread.
  private final class Interrupt: Sendable {
    private let body: Mutex<@Sendable () -> Void>

    init(_ body: @escaping @Sendable () -> Void) { self.body = Mutex(body) }

    func set(_ body: @escaping @Sendable () -> Void) { self.body.withLock { $0 = body } }
    func come() { body.withLock { $0 }() }
  }

  private var session: any FrontSession { talk.session }

  /// - Returns: nil where there can be no terminal.
  private init?(_ session: any FrontSession, readsRc: Bool) {
    let talk = Talk(session)
    let interrupt = talk.interrupt
    guard
      let terminal = Terminal(
        complete: { talk.session.complete($0, cursor: $1) }, interrupt: { interrupt.come() })
    else { return nil }
    (self.talk, self.terminal, self.readsRc) = (talk, terminal, readsRc)
    history = HistoryFile(path: directories.makeHistoryFile())
  }

  /// - Parameters:
  ///   - opening: the words of a `record` that comes first; nothing follows unless it begins a transcript.
  ///   - successor: the session that goes on in a workspace which one in memory has made.
  /// - Returns: the status to leave with.
  static func run(
    _ session: any FrontSession, readsRc: Bool, opening: [[UInt8]] = [],
    successor: (_ workspace: [UInt8]) throws(Complaint) -> any FrontSession
  ) -> Int32 {
    guard let front = TerminalFront(session, readsRc: readsRc) else {
      Complaint("the terminal cannot be set up: \(FileError.last.text)").show()
      return ExitStatus.failure
    }
    front.tellHistoryProblem()
    defer { front.session.end() }
    front.begin()
    if !opening.isEmpty {
      let status = session.run(FrontSource(text: .words(opening)))
      guard session.state.isRecording else { return status }
    }
    while true {
      let status = front.loop()
      guard let workspace = front.session.state.successor else { return status }
      do throws(Complaint) {
        let next = try successor(workspace)
        front.session.end()
        front.talk.session = next
        front.begin()
      } catch {
        error.show()
        return ExitStatus.failure
      }
    }
  }

  private func begin() {
    session.begin(FrontStart(keepsGoing: true, history: history.lines()))
    if readsRc, let file = directories.rcFile { read(rcFile: file) }
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
    while session.state.exitStatus == nil, session.state.successor == nil {
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
