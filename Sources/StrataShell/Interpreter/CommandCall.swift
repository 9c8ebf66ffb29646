internal import StrataEngine
internal import SystemPackage

/// Calls a command of the table, and makes text and a status of what it throws.
struct CommandCall {
  let session: Session
  let output: Output
  let input: any ByteSource

  func run(_ command: Command, as name: String, _ words: [[UInt8]]) -> Int32 {
    let arguments: Arguments
    do {
      arguments = try Arguments.parse(words, for: command)
    } catch {
      return usage(error, command)
    }
    let context = Context(
      command: command, name: name, arguments: arguments, session: session, input: input,
      output: output)
    do {
      if arguments.has(.help) {
        try context.write(Help(output).text(of: command).utf8)
        try context.flush()
        return ExitStatus.success
      }
      let status = try command.run(context)
      try context.flush()
      return status
    } catch let error as WriteFailure where error.isBrokenPipe {
      return ExitStatus.brokenPipe
    } catch let error as UsageError {
      try? context.flush()
      return usage(error, command)
    } catch {
      try? context.flush()
      return report(error, name)
    }
  }

  private func usage(_ error: UsageError, _ command: Command) -> Int32 {
    say("\(command.name): \(error.message)")
    let forms = command.usage.map { $0.isEmpty ? command.name : "\(command.name) \($0)" }
    say("usage: " + forms.joined(separator: "\n       "))
    return ExitStatus.usage
  }

  private func report(_ error: any Error, _ name: String) -> Int32 {
    switch error {
    case let error as WriteFailure: say("\(name): standard output: \(error.error.text)")
    case let error as FileError: say("\(name): \(error.text)")
    case let error as PathFailure: say("\(name): \(error.path.shown): \(error.error.text)")
    case let error as PluginFailure: say("\(name): \(error.message)")
    case is Interrupted: return ExitStatus.interrupted
    case let error as CommandFailure:
      if !error.message.isEmpty { say("\(name): \(error.message)") }
      return error.status
    default: say("\(name): \(error)")
    }
    return ExitStatus.failure
  }

  private func say(_ line: String) {
    try? output.standardError.write(Array("\(line)\n".utf8))
  }
}
