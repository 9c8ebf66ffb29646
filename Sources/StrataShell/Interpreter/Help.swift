/// What `help` and `--help` show, made from the values that describe commands.
struct Help {
  private let style: Style
  private let width: Int

  init(_ output: Output) {
    style = Style(output)
    width = output.isTerminal ? min(output.width, 100) : 80
  }

  func text(of command: Command) -> String {
    var text = "\(style.bold(command.name)) \u{2014} \(command.summary)\n\n"
    for (index, usage) in command.usage.enumerated() {
      let head = index == 0 ? "usage: " : "       "
      text += "\(head)\(command.name)\(usage.isEmpty ? "" : " " + usage)\n"
    }
    if !command.details.isEmpty {
      text += "\n" + wrap(command.details) + "\n"
    }
    text += "\n\(style.bold("options"))\n"
    let rows = command.allOptions.map { (label(of: $0), $0.summary) }
    let column = min(30, (rows.map { displayWidth($0.0) }.max() ?? 0) + 4)
    for (label, summary) in rows {
      let lines = wrap(summary, width: width - column).split(separator: "\n")
      text += "  " + padded(label, column - 2) + (lines.first ?? "") + "\n"
      for line in lines.dropFirst() { text += String(repeating: " ", count: column) + line + "\n" }
    }
    if !command.examples.isEmpty {
      text += "\n\(style.bold("examples"))\n"
      for example in command.examples { text += "  \(example)\n" }
    }
    return text
  }

  /// All commands by their groups.
  func overview(_ commands: [Command], plugins: [PluginCommand]) -> String {
    var text = ""
    let column = (commands.map(\.name.count).max() ?? 0) + 3
    for group in Command.Group.allCases {
      let members = commands.filter { $0.group == group }
      if members.isEmpty { continue }
      text += "\(style.bold(group.rawValue))\n"
      for command in members { text += "  \(padded(command.name, column))\(command.summary)\n" }
      text += "\n"
    }
    if !plugins.isEmpty {
      text += "\(style.bold("From plugins"))\n"
      for command in plugins {
        text += "  \(padded(command.name, column))\(command.summary) (\(command.plugin))\n"
      }
      text += "\n"
    }
    return text
      + "\(style.bold("help COMMAND")) tells more; !COMMAND runs a program of the host.\n"
  }

  private func label(of option: Option) -> String {
    let argument = option.argument ?? ""
    switch (option.short, option.long) {
    case (let short?, let long?):
      return "-\(short), --\(long)" + (argument.isEmpty ? "" : "=\(argument)")
    case (let short?, nil): return "-\(short)" + (argument.isEmpty ? "" : " \(argument)")
    default:
      return "    --\(option.long ?? "")" + (argument.isEmpty ? "" : "=\(argument)")
    }
  }

  /// Breaks paragraphs at blanks; lines that begin with a blank stay as they are.
  private func wrap(_ text: String, width: Int? = nil) -> String {
    let width = max(20, width ?? self.width)
    return text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      guard !line.hasPrefix(" "), displayWidth(String(line)) > width else { return String(line) }
      var lines: [String] = []
      var current = ""
      for word in line.split(separator: " ") {
        if !current.isEmpty, displayWidth(current) + 1 + displayWidth(String(word)) > width {
          lines.append(current)
          current = ""
        }
        current += (current.isEmpty ? "" : " ") + word
      }
      return (lines + [current]).joined(separator: "\n")
    }.joined(separator: "\n")
  }
}
