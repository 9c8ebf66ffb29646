internal import StrataEngine
internal import StrataShell

/// A session that a transcript runs in.
final class MachineReplaySession: ReplaySession {
  private let session: Session
  private let host: ReplayMachine
  private let plugins: LuaHub
  private let output: TranscriptOutput
  /// Kept for as long as the session lasts.
  private let trees: [TemporaryTree]
  private let streams: Output

  init(
    _ session: Session, _ host: ReplayMachine, _ plugins: LuaHub, _ output: TranscriptOutput,
    _ trees: [TemporaryTree]
  ) {
    (self.session, self.host, self.plugins, self.output) = (session, host, plugins, output)
    self.trees = trees
    let sink = TranscriptSink(output)
    streams = Output(standardOutput: sink, standardError: sink)
    plugins.print = streams
    session.workspace.hooks.add(output)
    session.begin()
    _ = output.take()
  }

  deinit {
    session.end()
    session.workspace.hooks.remove(output)
  }

  var prompt: [UInt8] { session.prompt }

  func run(_ input: [UInt8], timeout: Int) -> ReplayOutcome {
    if let status = session.exitStatus {
      return ReplayOutcome(status: status, failure: "the session has ended before this line")
    }
    let (cancellation, plugins, host) = (session.cancellation, plugins, host)
    let deadline = Deadline(seconds: timeout) {
      cancellation.cancel()
      plugins.interrupt()
      host.endPrograms()
    }
    host.tick()
    session.remember(input)
    let status = deadline.during { session.run(input, output: streams) }
    var outcome = ReplayOutcome(pieces: output.take(), status: status)
    if deadline.hasPassed { outcome.failure = "not done after \(timeout) seconds" }
    return outcome
  }
}
