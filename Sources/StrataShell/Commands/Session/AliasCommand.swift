private let remove = Option("d", "delete", "take aliases away")

extension Command {
  static let alias = Command(
    "alias", .session, .manages, "give a command with arguments a name of its own",
    usage: ["", "NAME='COMMAND\u{2026}'\u{2026}", "-d NAME\u{2026}"],
    options: [remove, .json],
    operands: [Operand("NAME", .alias, repeated: true)],
    details: "An alias stands for one command with its first arguments, not for a pipe or a list.",
    examples: ["alias ll='ls -l'", "ll /", "alias -d ll"]
  ) { context in
    let session = context.session
    if context.arguments.has(remove) {
      for name in try context.requiredOperands("the NAME") {
        guard session.aliases.removeValue(forKey: name.text) != nil else {
          try context.complain("no alias \(name.shown)")
          continue
        }
      }
      return context.status
    }
    if context.operands.isEmpty {
      let all = session.aliases.sorted { $0.key < $1.key }
      if context.isJSON {
        try context.print(
          all.map { .members(["name": .string($0.key), "command": .bytes($0.value)]) })
      } else {
        for (name, text) in all { try context.print("alias \(name)=\(quoted(text).text)") }
      }
      return ExitStatus.success
    }
    for word in context.operands {
      guard let sign = word.firstIndex(of: UInt8(ascii: "=")) else {
        guard let text = session.aliases[word.text] else {
          try context.complain("no alias \(word.shown)")
          continue
        }
        try context.print("alias \(word.shown)=\(quoted(text).text)")
        continue
      }
      let (name, text) = (Array(word[..<sign]), Array(word[(sign + 1)...]))
      guard !name.isEmpty, quoted(name) == name else {
        throw UsageError("no name for an alias: \(name.shown)")
      }
      _ = try Alias.parse(text)
      session.aliases[name.text] = text
    }
    return context.status
  }
}
