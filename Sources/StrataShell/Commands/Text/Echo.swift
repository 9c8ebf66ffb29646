extension Command {
  static let echo = Command(
    "echo", .text, .reads, "write words",
    usage: ["[-n] [WORD\u{2026}]"],
    operands: [Operand("WORD", .none, repeated: true)],
    details: "Writes its words with a space between them and a newline behind them; -n leaves the "
      + "newline out. Escapes are the grammar's: $'a\\tb'.",
    examples: ["echo one two", "echo -n $'tab\\there'"],
    parsing: .raw
  ) { context in
    var words = context.operands
    let hasNewline = words.first != [UInt8]("-n")
    if !hasNewline { words.removeFirst() }
    try context.write(words.joined(separator: CollectionOfOne(UInt8(ascii: " "))))
    if hasNewline { try context.write(CollectionOfOne(UInt8(ascii: "\n"))) }
    return ExitStatus.success
  }
}
