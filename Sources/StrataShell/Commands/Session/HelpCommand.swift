extension Command {
  static let help = Command(
    "help", .session, .reads, "list the commands, or explain one",
    usage: ["[COMMAND\u{2026}]"],
    operands: [Operand("COMMAND", .command, repeated: true)],
    examples: ["help", "help cat"]
  ) { context in
    let help = Help(context.output)
    let session = context.session
    if context.operands.isEmpty {
      try context.write(
        help.overview(session.commands.all, plugins: session.plugins.commands).utf8)
      return ExitStatus.success
    }
    for (index, word) in context.operands.enumerated() {
      let name = word.text
      if index > 0 { try context.print("") }
      if let command = session.commands[name] {
        try context.write(help.text(of: command).utf8)
      } else if let command = session.plugins.commands.first(where: { $0.name == name }) {
        try context.print("\(name) \u{2014} \(command.summary) (plugin \(command.plugin))\n")
        try context.print("usage: \(command.usage.isEmpty ? name : command.usage)")
      } else if let text = session.aliases[name] {
        try context.print("\(name) is an alias for \(text.shown)")
      } else {
        try context.complain(
          "no command \(word.shown)\(didYouMean(name, among: session.commandNames))")
      }
    }
    return context.status
  }
}
