internal import StrataEngine
internal import StrataShell
internal import Synchronization

/// The transcript that `record` writes of a session, while it is switched on.
final class Recording: Sendable {
  private struct State {
    let file: any HostFile
    var length: Int64
    let output: TranscriptOutput
    let workspace: Workspace
  }

  private let host: MachineHost
  /// The bases of the session, for the transcript's first lines.
  private let bases: [[UInt8]]
  private let state = Mutex<State?>(nil)

  init(_ host: MachineHost, bases: [[UInt8]]) { (self.host, self.bases) = (host, bases) }

  var isOn: Bool { state.withLock { $0 != nil } }

  /// Begins a file; one that was begun before is finished first.
  func start(_ path: [UInt8], _ session: Session) throws(FileError) {
    try stop()
    let file = try host.record(to: path)
    let header = Recorder.header(bases: bases, plugins: session.plugins.plugins.map(\.path))
    try file.write(header, at: 0)
    let output = TranscriptOutput(Trace.kinds, of: ObjectIdentifier(session))
    session.workspace.hooks.add(output)
    state.withLock {
      $0 = State(
        file: file, length: Int64(header.count), output: output, workspace: session.workspace)
    }
  }

  func stop() throws(FileError) {
    let last = state.withLock { state in
      defer { state = nil }
      return state
    }
    guard let last else { return }
    last.workspace.hooks.remove(last.output)
    try last.file.finish()
  }

  /// The output with what goes there kept for the transcript. It is then as a replay will see it:
  /// no terminal, no colour.
  func tap(_ output: Output) -> Output {
    guard let kept = state.withLock({ $0?.output }) else { return output }
    var output = output
    output.standardOutput = TranscriptSink(kept, passingTo: output.standardOutput)
    output.standardError = TranscriptSink(kept, passingTo: output.standardError)
    (output.isTerminal, output.isColored, output.isProcessOutput) = (false, false, false)
    return output
  }

  /// Runs a command and writes what came of it, unless recording began or ended with it.
  func step(_ session: Session, _ input: [UInt8], _ run: () -> Int32) {
    let prompt = session.prompt
    let wasOn = isOn
    let status = run()
    let problem: FileError? = state.withLock { state in
      guard wasOn, let output = state?.output else { return nil }
      let text = Recorder.step(
        prompt: prompt, input: input,
        outcome: ReplayOutcome(pieces: output.take(), status: status))
      do throws(FileError) {
        try state?.file.write(text, at: state?.length ?? 0)
        state?.length += Int64(text.count)
        return nil
      } catch {
        return error
      }
    }
    if let problem {
      Complaint("the transcript: \(problem.text)").show()
      try? stop()
    }
  }
}

extension Command {
  /// The command that switches the recording.
  static func record(_ recording: Recording) -> Command {
    Command(
      "record", .session, .manages, "write what is typed and shown as a transcript",
      usage: ["FILE", "off", ""], operands: [Operand("FILE", .hostPath)],
      details: """
        The transcript is a file of the host, and grows with every command until 'record off' or \
        the end of the session. 'replay FILE' runs it again and shows what differs. While it is \
        written, commands write as they would to a file: no columns, no colour.
        """,
      examples: ["record"]
    ) { context in
      switch context.operands.count {
      case 0: try context.print(recording.isOn ? "on" : "off")
      case 1 where context.operands[0] == Array("off".utf8): try recording.stop()
      case 1:
        do throws(FileError) {
          try recording.start(context.operands[0], context.session)
        } catch {
          throw PathFailure(context.operands[0], error)
        }
      default: throw UsageError("one file at a time")
      }
      return context.status
    }
  }
}
