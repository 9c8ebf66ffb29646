internal import StrataEngine
internal import SystemPackage

/// Runs one command of a pipeline: expands its words, opens its redirections, and calls it.
struct StageRun {
  let session: Session
  let source: [UInt8]
  var output: Output
  var input: any ByteSource

  func run(_ command: SimpleCommand) -> Int32 {
    var stage = self
    do {
      return try stage.runOrThrow(command)
    } catch let failure as PathFailure {
      say("strata: \(failure.path.shown): \(failure.error.text)")
    } catch let failure as CommandFailure {
      say("strata: \(failure.message)")
      return failure.status
    } catch {
      say("strata: \(error)")
    }
    return ExitStatus.failure
  }

  private mutating func runOrThrow(_ command: SimpleCommand) throws -> Int32 {
    let expansion = Expansion(client: session.client, variable: session.value(of:))
    for redirection in command.redirections { try open(redirection, expansion) }
    let values = command.assignments.map { ($0.name, expansion.text($0.value)) }
    if command.words.isEmpty {
      for (name, value) in values { session.variables[name] = value }
      return ExitStatus.success
    }
    let saved = values.map { ($0.0, session.variables[$0.0]) }
    for (name, value) in values { session.variables[name] = value }
    defer { for (name, value) in saved { session.variables[name] = value } }
    if command.isHost {
      return try HostStage(session: session, input: input, output: output).run(hostLine(command))
    }
    let words = try expansion.arguments(command.words)
    guard let name = words.first else { return ExitStatus.success }
    return call(name, Array(words.dropFirst()))
  }

  /// The words as they stand in the source, redirections left out: the host's shell reads them.
  private func hostLine(_ command: SimpleCommand) -> [UInt8] {
    Array(command.words.map { source[$0.range] }.joined(separator: CollectionOfOne(0x20)))
  }

  // MARK: Redirections

  private mutating func open(_ redirection: Redirection, _ expansion: Expansion) throws {
    switch redirection.kind {
    case .errorToOutput:
      output = output.redirected(standardError: output.standardOutput)
    case .document(let word):
      input = MemorySource(expansion.text(word))
    case .input(let word):
      let path = try target(word, expansion)
      if isNull(path) {
        input = MemorySource()
        return
      }
      input = try at(path) { () throws(FileError) in
        let file = try session.client.open(path, [.read])
        guard try file.attributes().kind != .directory else { throw .isDirectory }
        return FileSource(file)
      }
    case .output(let word, let append):
      output = output.redirected(standardOutput: try sink(word, append, expansion))
    case .error(let word, let append):
      output = output.redirected(standardError: try sink(word, append, expansion))
    }
  }

  private func sink(
    _ word: Word, _ append: Bool, _ expansion: Expansion
  ) throws -> any ByteSink {
    let path = try target(word, expansion)
    if isNull(path) { return NullSink() }
    return try at(path) { () throws(FileError) in
      FileSink(
        try session.client.open(
          path, append ? [.write, .append] : [.write, .truncate], create: 0o666))
    }
  }

  /// Everybody has that one in mind, whatever the fork has there, which mostly is nothing.
  private func isNull(_ path: [UInt8]) -> Bool {
    session.absolutePath(path) == Array("/dev/null".utf8)
  }

  private func target(_ word: Word, _ expansion: Expansion) throws -> [UInt8] {
    let names = expansion.arguments(word)
    guard let name = names.first, names.count == 1 else {
      throw CommandFailure(
        names.isEmpty
          ? "a redirection to nothing" : "a redirection to \(names.count) files at once")
    }
    return name
  }

  private func at<R>(_ path: [UInt8], _ body: () throws(FileError) -> R) throws -> R {
    do { return try body() } catch { throw PathFailure(path, error) }
  }

  // MARK: Commands

  private func call(_ name: [UInt8], _ words: [[UInt8]]) -> Int32 {
    if let command = session.commands[name.text] {
      return CommandCall(session: session, output: output, input: input)
        .run(command, as: name.text, words)
    }
    if session.plugins.commands.contains(where: { $0.name == name.text }) {
      do {
        return try session.plugins.run(
          name.text, words, on: session.fork, caller: session.caller, output: output,
          input: input, cancellation: session.cancellation)
      } catch {
        say("\(name.shown): \(error.message)")
        return session.cancellation.isCancelled ? ExitStatus.interrupted : ExitStatus.failure
      }
    }
    let known = session.commandNames
    say("strata: \(name.shown): unknown command\(didYouMean(name.text, among: known))")
    return ExitStatus.unknownCommand
  }

  private func say(_ line: String) {
    try? output.standardError.write(Array("\(line)\n".utf8))
  }
}
