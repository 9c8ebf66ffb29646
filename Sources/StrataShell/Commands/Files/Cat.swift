private let number = Option("n", "number", "number the lines")

extension Command {
  static let cat = Command(
    "cat", .files, .reads, "write files one after the other",
    usage: ["[-n] [FILE\u{2026}]"],
    options: [number],
    operands: [Operand("FILE", .path, repeated: true)],
    details: "Without FILE, or where it is -, standard input is read.",
    examples: ["write /tmp.txt hello", "cat -n /tmp.txt", "rm /tmp.txt"]
  ) { context in
    var line = 1
    var isLineStart = true
    try context.forEach(context.operands.isEmpty ? [[UInt8]("-")] : context.operands) { path in
      let source = try context.source(path)
      while true {
        try context.checkCancelled()
        let bytes = try source.read()
        if bytes.isEmpty { break }
        guard context.arguments.has(number) else {
          try context.write(bytes)
          continue
        }
        for part in bytes.split(
          separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
        ).enumerated() {
          if part.offset > 0 {
            try context.write([UInt8(ascii: "\n")])
            isLineStart = true
          }
          if part.element.isEmpty, part.element.endIndex == bytes.endIndex { continue }
          if isLineStart {
            try context.write((padded(String(line), 6, .right) + "\t").utf8)
            line += 1
            isLineStart = false
          }
          try context.write(part.element)
        }
      }
    }
    return context.status
  }
}
