private let lineCount = Option(
  "n", "lines", argument: "N", "the first N lines (10); -N: all but the last N")
private let byteCount = Option("c", "bytes", argument: "N", "the first N bytes")
private let quiet = Option("q", "quiet", "never write file names")

extension Command {
  static let head = Command(
    "head", .text, .reads, "write the beginning of files",
    usage: ["[-n N | -c N] [FILE\u{2026}]"],
    options: [lineCount, byteCount, quiet],
    operands: [Operand("FILE", .path, repeated: true)],
    details: "Without FILE, or where it is -, standard input is read. head -5 is head -n 5.",
    examples: ["echo one | head -n 1"],
    parsing: .rewritten(rewriteCount)
  ) { context in
    let part = try HeadPart(context)
    let paths = context.operands.isEmpty ? [[UInt8]("-")] : context.operands
    var isFirst = true
    try context.forEach(paths) { path in
      let source = try context.source(path)
      if paths.count > 1, !context.arguments.has(quiet) {
        try context.print("\(isFirst ? "" : "\n")==> \(path.shown) <==")
      }
      isFirst = false
      try part.write(source, context)
    }
    return context.status
  }
}

/// `-5` as `-n5`, in front of everything else.
func rewriteCount(_ words: [[UInt8]]) -> [[UInt8]] {
  guard let first = words.first, first.count > 1, first[0] == UInt8(ascii: "-"),
    first.dropFirst().allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
  else { return words }
  return [[UInt8]("-n") + first.dropFirst()] + words.dropFirst()
}

private enum HeadPart {
  case lines(Int)
  case allLinesBut(Int)
  case bytes(Int64)

  init(_ context: Context) throws {
    if let count = try context.size(byteCount) {
      self = .bytes(count)
      return
    }
    let text = context.arguments.value(lineCount) ?? [UInt8]("10")
    guard let count = Int(text.text) else {
      throw UsageError("-n needs a number of lines, not \(text.shown)")
    }
    self = count < 0 || text.first == UInt8(ascii: "-") ? .allLinesBut(-count) : .lines(count)
  }

  func write(_ source: any ByteSource, _ context: Context) throws {
    switch self {
    case .bytes(var rest):
      while rest > 0 {
        try context.checkCancelled()
        let bytes = try source.read()
        if bytes.isEmpty { return }
        try context.write(bytes.prefix(Int(clamping: rest)))
        rest -= Int64(bytes.count)
      }
    case .lines(var rest):
      while rest > 0 {
        try context.checkCancelled()
        let bytes = try source.read()
        if bytes.isEmpty { return }
        var end = bytes.startIndex
        while rest > 0, end < bytes.endIndex {
          if bytes[end] == UInt8(ascii: "\n") { rest -= 1 }
          end += 1
        }
        try context.write(bytes[..<end])
      }
    case .allLinesBut(let count):
      let lines = Lines(try source.readToEnd())
      for line in lines.all.dropLast(count) { try context.write(line) }
    }
  }
}
