internal import StrataEngine
internal import SystemPackage

/// Runs parsed source in a session.
struct Runner {
  let session: Session
  let source: [UInt8]
  private(set) var output: Output
  let input: any ByteSource

  /// - Parameter name: of a script, to say where it has stopped.
  /// - Returns: the status of the last statement that ran.
  func run(_ script: Script, name: String?) -> Int32 {
    for (index, statement) in script.statements.enumerated() {
      let (status, isFailure) = step(statement)
      session.lastStatus = status
      if session.exitStatus != nil { break }
      if session.cancellation.isCancelled { return ExitStatus.interrupted }
      if isFailure, !session.settings.keepsGoing {
        let isLast = index == script.statements.count - 1
        if let name, !isLast { say("strata: \(name):\(line(of: statement)): stopped here") }
        break
      }
    }
    return session.exitStatus ?? session.lastStatus
  }

  private func line(of statement: Statement) -> Int {
    source[..<statement.range.lowerBound].count { $0 == UInt8(ascii: "\n") } + 1
  }

  /// Runs a statement as one step of a transcript, if there is one.
  private func step(_ statement: Statement) -> (Int32, isFailure: Bool) {
    var isFailure = false
    let status = session.step(statement.text(in: source), output) { output in
      var runner = self
      runner.output = output
      let running = RunningCommand(output: output, session: ObjectIdentifier(session))
      let (status, hasFailed) = RunningCommand.$current.withValue(running) {
        runner.run(statement)
      }
      isFailure = hasFailed
      return status
    }
    return (status, isFailure)
  }

  /// - Returns: the status, and whether it is a failure that nothing in the statement caught.
  private func run(_ statement: Statement) -> (Int32, isFailure: Bool) {
    if let successor = session.successor {
      say(
        "strata: this session was in memory, and nothing more is done in it; the next one is in "
          + "\(successor.shown)")
      return (ExitStatus.failure, true)
    }
    var status = run(statement.first)
    var isLast = statement.rest.isEmpty
    for (index, step) in statement.rest.enumerated() {
      if session.exitStatus != nil || session.cancellation.isCancelled { break }
      let isWanted = (step.condition == .ifSucceeded) == (status == 0)
      guard isWanted else { continue }
      session.lastStatus = status
      status = run(step.pipeline)
      isLast = index == statement.rest.count - 1
    }
    return (status, status != 0 && isLast)
  }

  // MARK: Pipelines

  private func run(_ pipeline: Pipeline) -> Int32 {
    let stages: [SimpleCommand]
    do {
      stages = try pipeline.stages.map { try expandAlias($0) }
    } catch {
      return report(error)
    }
    let line = String(decoding: source[pipeline.range], as: UTF8.self)
    if session.settings.echoes { say("+ \(line)") }
    session.setCommand(line)
    session.workspace.startEpoch()
    defer { reportBaseChanges() }
    do {
      try announce(.command, line)
    } catch {
      say("\(commandName(stages.first)): \(error.text)")
      return ExitStatus.failure
    }
    let status = inTurn(stages) {
      if changesFiles(stages) {
        session.workspace.operation(line, on: session.fork) { run(stages[...], input: input) }
      } else {
        run(stages[...], input: input)
      }
    }
    tell(.command, line, status)
    return status
  }

  /// Runs the last stage here, and those before it in the pipe's thread.
  private func run(_ stages: ArraySlice<SimpleCommand>, input: any ByteSource) -> Int32 {
    guard let last = stages.last else { return ExitStatus.success }
    let before = stages.dropLast()
    guard !before.isEmpty else { return run(last, input: input, output) }
    let pipe = StagePipe()
    var inner = output.redirected(standardOutput: pipe)
    inner.isJSON = false
    let upstream = Runner(session: session, source: source, output: inner, input: input)
    do {
      try pipe.start { _ = upstream.run(before, input: input) }
    } catch {
      return report(error)
    }
    defer { pipe.finishReading() }
    return run(last, input: pipe, output)
  }

  private func run(
    _ command: SimpleCommand, input: any ByteSource, _ output: Output
  ) -> Int32 {
    StageRun(session: session, source: source, output: output, input: input).run(command)
  }

  // MARK: What a line does

  /// Whether the line is to be one operation of the log.
  private func changesFiles(_ stages: [SimpleCommand]) -> Bool {
    var changes = false
    for stage in stages {
      if stage.redirections.contains(where: \.writesFile) { changes = true }
      guard !stage.isHost, let word = stage.words.first else { continue }
      guard let name = word.plain, let command = session.commands[name.text] else {
        changes = true
        continue
      }
      switch command.effect {
      case .manages, .arranges, .maintains: return false
      case .changes: changes = true
      case .reads: break
      }
    }
    return changes
  }

  /// Runs the line while no other session changes what it works on.
  private func inTurn(_ stages: [SimpleCommand], _ body: () -> Int32) -> Int32 {
    guard !session.hasTurn, let span = span(stages) else { return body() }
    let turn = session.turns.take(span, session.cancellation) {
      say("strata: waiting for another client's command")
    }
    guard let turn else { return ExitStatus.interrupted }
    session.hasTurn = true
    defer {
      session.hasTurn = false
      session.turns.give(turn)
    }
    let fork = session.fork
    let status = body()
    // Now, while it is this session's turn: the next operation may be another's.
    guard let failure = session.workspace.takeFailure(of: fork) else { return status }
    let hint = failure.isLackOfRoom ? "; free space on the disk" : ""
    say("strata: not saved: \(failure.text)\(hint)")
    return status == ExitStatus.success ? ExitStatus.failure : status
  }

  /// What the line needs for itself; nil if it changes no fork.
  private func span(_ stages: [SimpleCommand]) -> ForkTurns.Span? {
    let commands = stages.filter { !$0.isHost }.compactMap { stage in
      stage.words.first?.plain.flatMap { session.commands[$0.text] }
    }
    if commands.contains(where: { $0.effect == .maintains }) { return .everything }
    let manages = commands.contains { $0.effect == .manages && $0.group == .layers }
    return manages || changesFiles(stages) ? .fork(session.fork.id) : nil
  }

  /// Puts an alias' words in place of the first word. An alias does not name itself again.
  private func expandAlias(_ command: SimpleCommand) throws -> SimpleCommand {
    var command = command
    var seen: Set<String> = []
    while !command.isHost, let name = command.words.first?.plain?.text, seen.insert(name).inserted,
      let text = session.aliases[name]
    {
      let body = try Alias.parse(text)
      command.words = body.words.map { $0.moved(to: command.range) } + command.words.dropFirst()
      command.assignments = body.assignments + command.assignments
    }
    return command
  }

  private func commandName(_ command: SimpleCommand?) -> String {
    command?.words.first?.plain?.shown ?? "strata"
  }

  // MARK: Messages

  private func say(_ line: String) {
    try? output.standardError.write(Array("\(line)\n".utf8))
  }

  private func report(_ error: any Error) -> Int32 {
    switch error {
    case let error as FileError: say("strata: \(error.text)")
    case let error as CommandFailure: say("strata: \(error.message)")
    default: say("strata: \(error)")
    }
    return ExitStatus.failure
  }

  private func announce(_ kind: EventKind, _ line: String) throws(FileError) {
    guard session.workspace.hooks.isAsked(kind) else { return }
    _ = try session.workspace.hooks.ask(event(kind, line), on: session.fork)
  }

  private func tell(_ kind: EventKind, _ line: String, _ status: Int32) {
    guard session.workspace.hooks.isTold(kind) else { return }
    var event = event(kind, line)
    if status != 0 { event.message = "status \(status)" }
    session.workspace.hooks.tell(event, on: session.fork)
  }

  private func event(_ kind: EventKind, _ line: String) -> Event {
    var event = Event(kind)
    event.fork = session.fork.name
    event.caller = session.caller
    return event
  }

  /// Says which files of the bases others have changed while we looked.
  private func reportBaseChanges() {
    let told = session.toldOnHost
    session.toldOnHost = []
    for change in session.workspace.takeBaseChanges() {
      let (fork, id) = (session.fork, change.node.id)
      let path = fork.path(of: id) ?? fork.origin.path(of: id) ?? change.node.name.bytes
      if told.contains(path) || session.changedOnHost.remove(path) != nil { continue }
      say("strata: \(path.shown): changed on the host")
    }
  }
}

extension Redirection {
  var writesFile: Bool {
    switch kind {
    case .output, .error: true
    default: false
    }
  }
}

extension Word {
  func moved(to range: SourceRange) -> Word { Word(parts: parts, range: range) }
}
