private let keepGoing = Option("k", "keep-going", "scripts go on after a command that failed")
private let echoing = Option("x", "echo", "show each command before it runs")

extension Command {
  static let set = Command(
    "set", .session, .manages, "show and change variables and settings",
    usage: ["", "-k | +k | -x | +x", "NAME=VALUE\u{2026}", "-u NAME\u{2026}"],
    options: [
      keepGoing, echoing,
      Option("u", "unset", argument: "NAME", of: .variable, "take a variable away"),
    ],
    operands: [Operand("NAME", .variable, repeated: true)],
    details: "+k and +x switch a setting off. NAME=VALUE alone on a line sets a variable too. "
      + "Host programs find the variables in their environment.",
    examples: ["set greeting=hello", "echo $greeting", "set -u greeting"],
    parsing: .raw
  ) { context in
    let session = context.session
    var words = context.operands[...]
    if words.isEmpty || words == [[UInt8]("--json")] {
      try list(context, isJSON: context.isJSON || !words.isEmpty)
      return ExitStatus.success
    }
    while let word = words.popFirst() {
      switch word.text {
      case "-k", "--keep-going": session.settings.keepsGoing = true
      case "+k": session.settings.keepsGoing = false
      case "-x", "--echo": session.settings.echoes = true
      case "+x": session.settings.echoes = false
      case "-u", "--unset":
        guard let name = words.popFirst() else { throw UsageError("-u needs a NAME") }
        session.variables[name.text] = nil
      default:
        guard word.first != UInt8(ascii: "-"), let sign = word.firstIndex(of: UInt8(ascii: "="))
        else { throw UsageError("NAME=VALUE or an option was expected, not \(word.shown)") }
        let name = word[..<sign]
        let isName = name.enumerated().allSatisfy { Lexer.isNameByte($1, first: $0 == 0) }
        guard isName, !name.isEmpty else {
          throw UsageError("no name for a variable: \(Array(name).shown)")
        }
        session.variables[Array(name).text] = Array(word[(sign + 1)...])
      }
    }
    return ExitStatus.success
  }
}

private func list(_ context: Context, isJSON: Bool) throws {
  let variables = context.session.variables.sorted { $0.key < $1.key }
  if isJSON {
    return try context.print(
      variables.map { .members(["name": .string($0.key), "value": .bytes($0.value)]) })
  }
  for (name, value) in variables { try context.print("\(name)=\(quoted(value).text)") }
}
