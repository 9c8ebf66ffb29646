internal import StrataEngine
internal import StrataShell
internal import Synchronization

/// The transcript that `record` writes of a session, while it is switched on.
final class Recording: SessionRecorder, Sendable {
  private struct State {
    let file: any HostFile
    var length: Int64
    let output: TranscriptOutput
    let workspace: Workspace

    mutating func add(_ text: [UInt8]) throws(FileError) {
      try file.write(text, at: length)
      length += Int64(text.count)
    }
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
    let output = TranscriptOutput(Trace.kinds, of: ObjectIdentifier(session))
    var begun = State(file: file, length: 0, output: output, workspace: session.workspace)
    try begun.add(Recorder.header(bases: bases, plugins: session.plugins.plugins.map(\.path)))
    try begun.add(Recorder.way(to: session))
    session.workspace.hooks.add(output)
    if let directory = directory(of: path) { session.changedOnHost.insert(directory) }
    state.withLock { $0 = begun }
  }

  /// Where in the namespace the directory of a file of the host is; nil for one in no base.
  private func directory(of path: [UInt8]) -> [UInt8]? {
    let path = host.absolutePath(path)
    let end = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
    return OpenWorkspace.namespacePath(of: Array(path[..<max(end, 1)]), over: bases)
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
  private func tap(_ output: Output) -> Output {
    guard let kept = state.withLock({ $0?.output }) else { return output }
    var output = output
    output.standardOutput = TranscriptSink(kept, passingTo: output.standardOutput)
    output.standardError = TranscriptSink(kept, passingTo: output.standardError)
    (output.isTerminal, output.isColored, output.isProcessOutput) = (false, false, false)
    return output
  }

  /// Runs a statement and writes what came of it, unless recording ended with it.
  func step(
    _ session: Session, _ source: [UInt8], _ output: Output, _ run: (Output) -> Int32
  ) -> Int32 {
    let prompt = session.prompt
    let status = run(tap(output))
    do throws(FileError) {
      try state.withLock { state throws(FileError) in
        guard let pieces = state?.output.take() else { return }
        let outcome = ReplayOutcome(pieces: pieces, status: status)
        try state?.add(Recorder.step(prompt: prompt, input: source, outcome: outcome))
      }
    } catch {
      try? output.standardError.write(Array("strata: the transcript: \(error.text)\n".utf8))
      try? stop()
    }
    return status
  }
}

extension Command {
  /// The command that switches the recording.
  static func record(_ recording: Recording) -> Command {
    Command(
      "record", .session, .manages, "write what is typed and shown as a transcript",
      usage: ["FILE", "off", ""], operands: [Operand("FILE", .hostPath)],
      details: """
        The transcript is a file of the host, and grows with every command, of a person or a \
        script, until 'record off' or the end of the session. 'strata record FILE' begins a session \
        with it. 'replay FILE' runs it again and shows what differs. While it is written, commands \
        write as they would to a file: no columns, no colour. A replay begins with the bases: of a \
        fork that differs from them it cannot show the same.
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
        guard !Recorder.canFollow(context.session) else { break }
        let fork = context.session.fork.name
        context.warn(
          "fork \(fork) differs from the bases; a replay begins with those, and will not show the same"
        )
      default: throw UsageError("one file at a time")
      }
      return context.status
    }
  }
}
