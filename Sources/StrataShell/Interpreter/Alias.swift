/// The text behind an alias: one command with its first arguments.
enum Alias {
  static func parse(_ text: [UInt8]) throws -> SimpleCommand {
    let script: Script
    do {
      script = try Parser.parse(text)
    } catch {
      throw CommandFailure("alias \(text.shown): \(error.message)")
    }
    guard let statement = script.statements.first, script.statements.count == 1,
      statement.rest.isEmpty, statement.first.stages.count == 1,
      let command = statement.first.stages.first, !command.isHost, command.redirections.isEmpty,
      !command.words.isEmpty
    else {
      throw CommandFailure("an alias stands for one command with arguments, not for \(text.shown)")
    }
    return command
  }
}
