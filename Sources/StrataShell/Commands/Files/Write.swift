internal import StrataEngine

private let append = Option("a", "append", "add to the end of the file")
private let noNewline = Option("n", nil, "write no newline behind the words")
private let at = Option(
  nil, "at", argument: "OFFSET", "overwrite from this byte on, and leave the rest as it is")

extension Command {
  static let write = Command(
    "write", .files, .changes, "write text into a file",
    usage: ["[-a] [-n] [--at OFFSET] FILE [TEXT\u{2026}]"],
    options: [append, noNewline, at],
    operands: [Operand("FILE", .path), Operand("TEXT", .none, repeated: true)],
    details: "Writes the words with a space between them and a newline behind them. Without TEXT "
      + "it writes what it reads from standard input: a pipe, a file, or a heredoc. The file is "
      + "made where it is missing, and emptied before unless -a or --at is given. OFFSET may have "
      + "a unit: 4K, 1MiB.",
    examples: [
      "write /note first line", "write -a /note second line", "write --at 0 -n /note F",
      "cat /note", "rm /note",
    ],
    parsing: .optionsFirst
  ) { context in
    let operands = try context.requiredOperands("the FILE to write")
    let path = operands[0]
    let offset = try context.size(at)
    let appends = context.arguments.has(append)
    guard !appends || offset == nil else { throw UsageError("-a and --at exclude each other") }
    try context.attempt(path) {
      let options: OpenOptions =
        appends ? [.write, .append] : offset == nil ? [.write, .truncate] : [.write]
      let file = try context.client.open(path, options, create: 0o666)
      var position = offset ?? 0
      func put(_ bytes: [UInt8]) throws {
        position += Int64(try file.write(bytes, at: position))
      }
      guard operands.count == 1 else {
        var text = Array(operands.dropFirst().joined(separator: [UInt8(ascii: " ")]))
        if !context.arguments.has(noNewline) { text.append(UInt8(ascii: "\n")) }
        return try put(text)
      }
      while true {
        try context.checkCancelled()
        let bytes = try context.input.read()
        if bytes.isEmpty { return }
        try put(bytes)
      }
    }
    return context.status
  }
}
