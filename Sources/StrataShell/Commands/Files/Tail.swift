internal import StrataEngine

private let lineCount = Option(
  "n", "lines", argument: "N", "the last N lines (10); +N: from line N on")
private let byteCount = Option("c", "bytes", argument: "N", "the last N bytes; +N: from byte N on")
private let quiet = Option("q", "quiet", "never write file names")

extension Command {
  static let tail = Command(
    "tail", .text, .reads, "write the end of files",
    usage: ["[-n N | -c N] [FILE\u{2026}]"],
    options: [lineCount, byteCount, quiet],
    operands: [Operand("FILE", .path, repeated: true)],
    details: "Without FILE, or where it is -, standard input is read. tail -5 is tail -n 5.",
    examples: ["echo one | tail -n 1"],
    parsing: .rewritten(rewriteCount)
  ) { context in
    let part = try TailPart(context)
    let paths = context.operands.isEmpty ? [[UInt8]("-")] : context.operands
    var isFirst = true
    try context.forEach(paths) { path in
      let file = path == [UInt8]("-") ? nil : try context.openForReading(path)
      if paths.count > 1, !context.arguments.has(quiet) {
        try context.print("\(isFirst ? "" : "\n")==> \(path.shown) <==")
      }
      isFirst = false
      if let file {
        try part.write(file, context)
      } else {
        try part.write(try context.input.readToEnd(), context)
      }
    }
    return context.status
  }
}

private struct TailPart {
  private let count: Int64
  private let countsBytes: Bool
  private let isFromStart: Bool

  init(_ context: Context) throws {
    countsBytes = context.arguments.has(byteCount)
    let text = context.arguments.value(countsBytes ? byteCount : lineCount) ?? [UInt8]("10")
    isFromStart = text.first == UInt8(ascii: "+")
    let digits = text.first == UInt8(ascii: "-") || isFromStart ? Array(text.dropFirst()) : text
    guard let count = SizeText.parse(digits) else {
      throw UsageError("\(countsBytes ? "-c" : "-n") needs a number, not \(text.shown)")
    }
    self.count = count
  }

  func write(_ all: [UInt8], _ context: Context) throws {
    if countsBytes {
      let count = Int(clamping: count)
      try context.write(isFromStart ? all.dropFirst(max(0, count - 1)) : all.suffix(count))
    } else {
      let lines = Lines(all).all
      let count = Int(clamping: count)
      for line in isFromStart ? lines.dropFirst(max(0, count - 1)) : lines.suffix(count) {
        try context.write(line)
      }
    }
  }

  /// Reads no more of the file than it writes, and the blocks in which the lines were looked for.
  func write(_ file: OpenFile, _ context: Context) throws {
    let size = try file.attributes().size
    let start: Int64
    switch (countsBytes, isFromStart) {
    case (true, true): start = max(0, count - 1)
    case (true, false): start = max(0, size - count)
    case (false, true): start = try offset(afterLines: max(0, count - 1), file, size, context)
    case (false, false): start = try offset(ofLastLines: count, file, size, context)
    }
    let source = FileSource(file, from: start)
    while true {
      try context.checkCancelled()
      let bytes = try source.read()
      if bytes.isEmpty { return }
      try context.write(bytes)
    }
  }

  private func offset(
    afterLines count: Int64, _ file: OpenFile, _ size: Int64, _ context: Context
  ) throws -> Int64 {
    var (offset, rest) = (Int64(0), count)
    while rest > 0, offset < size {
      try context.checkCancelled()
      let block = try file.read(FileSource.chunk, at: offset)
      if block.isEmpty { return size }
      for byte in block {
        offset += 1
        if byte == UInt8(ascii: "\n") { rest -= 1 }
        if rest == 0 { break }
      }
    }
    return offset
  }

  private func offset(
    ofLastLines count: Int64, _ file: OpenFile, _ size: Int64, _ context: Context
  ) throws -> Int64 {
    guard count > 0 else { return size }
    var (end, rest) = (size, count)
    while end > 0 {
      try context.checkCancelled()
      let start = max(0, end - Int64(FileSource.chunk))
      let block = try file.read(Int(end - start), at: start)
      for index in block.indices.reversed() where block[index] == UInt8(ascii: "\n") {
        let place = start + Int64(index)
        // The newline at the very end closes the last line; it begins none.
        if place == size - 1 { continue }
        rest -= 1
        if rest == 0 { return place + 1 }
      }
      end = start
    }
    return 0
  }
}
