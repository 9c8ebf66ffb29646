internal import Glibc
internal import StrataEngine
internal import StrataShell

/// A session in this process, put together: commands, host, streams.
final class Assembly {
  let session: Session
  let plugins: LuaHub
  let recording: Recording
  private let console: Console
  private let open: OpenWorkspace

  /// - Parameters:
  ///   - host: the machine as the session's user sees it.
  ///   - caller: in whose name files are touched.
  ///   - isOnlyMount: whether the process ends with a single command `mount`.
  init(
    _ open: OpenWorkspace, _ host: MachineHost, _ caller: Caller, _ console: Console,
    isOnlyMount: Bool = false
  ) {
    plugins = open.plugins
    self.console = console
    self.open = open
    session = Session(
      workspace: open.workspace, host: host, caller: caller, plugins: plugins, turns: open.turns)
    recording = Recording(host, bases: open.bases)
    session.recorder = recording
    for command in [
      Command.replay(MachineReplayHost(host)), Command.record(recording), Command.test(host),
      Command.`init`(host, over: open.isInMemory ? open.bases : nil),
      Command.commit(open.commitPlace),
      Command.mount(open.mounts, host, open.runPlace, bases: open.bases, isLasting: !isOnlyMount),
      Command.unmount(open.mounts, host), Command.mounts(open.mounts),
      Command.run(open.runPlace),
    ] {
      session.commands.add(command)
    }
    plugins.attach(ObjectIdentifier(session), output)
  }

  deinit { plugins.detach(ObjectIdentifier(session)) }

  /// The process ends, and with it what it serves.
  func leave() { open.leave() }

  /// The streams as they are now: a terminal may have been resized.
  var output: Output { console.output(session.host) }

  /// What commands read that are given no file.
  var input: any ByteSource { console.input(session.cancellation) }

  /// Stops what the session runs, from any thread.
  var interrupt: @Sendable () -> Void {
    let (cancellation, plugins) = (session.cancellation, plugins)
    return {
      cancellation.cancel()
      plugins.interrupt()
    }
  }

  /// Has what plugins print meanwhile go to the session's output.
  func during<R>(_ body: () -> R) -> R {
    let running = RunningCommand(output: output, session: ObjectIdentifier(session))
    return RunningCommand.$current.withValue(running, operation: body)
  }

  /// Makes `$0`, `$1` and so on.
  func setArguments(_ words: [[UInt8]]) {
    for (number, word) in words.enumerated() { session.variables[String(number)] = word }
  }

  /// Whether something that can be run has the name.
  func hasCommand(_ name: [UInt8]) -> Bool {
    guard let name = String(validating: name, as: UTF8.self) else { return false }
    return session.commands[name] != nil || session.aliases[name] != nil
      || plugins.commands.contains { $0.name == name }
  }
}
