internal import StrataEngine

private let canonical = Option(
  "C", "canonical", "bytes in base 16 and as text, which is the only format")
private let length = Option("n", "length", argument: "N", "no more than N bytes")
private let skip = Option("s", "skip", argument: "OFFSET", "from this byte on")
private let verbose = Option("v", "no-squeezing", "write lines that repeat, instead of a *")

extension Command {
  static let hexdump = Command(
    "hexdump", .text, .reads, "write bytes in base 16 and as text",
    usage: ["[-C] [-n N] [-s OFFSET] [-v] [FILE\u{2026}]"],
    options: [canonical, length, skip, verbose],
    operands: [Operand("FILE", .path, repeated: true)],
    details: "Sixteen bytes a line; lines that repeat are written once, and then a *.",
    examples: ["echo hello | hexdump -C"]
  ) { context in
    let rest = try context.size(length) ?? .max
    let start = try context.size(skip) ?? 0
    let paths = context.operands.isEmpty ? [[UInt8]("-")] : context.operands
    try context.forEach(paths) { path in
      var dump = HexDump(context: context, offset: start, rest: rest)
      try dump.run(path)
    }
    return context.status
  }
}

private struct HexDump {
  let context: Context
  var offset: Int64
  var rest: Int64
  private var last: [UInt8]?
  private var isSqueezing = false

  init(context: Context, offset: Int64, rest: Int64) {
    self.context = context
    self.offset = offset
    self.rest = rest
  }

  mutating func run(_ path: [UInt8]) throws {
    let source: any ByteSource
    var toSkip: Int64 = 0
    if path == [UInt8]("-") {
      source = context.input
      toSkip = offset
    } else {
      source = FileSource(try context.openForReading(path), from: offset)
    }
    var pending: [UInt8] = []
    while rest > 0 {
      try context.checkCancelled()
      var bytes = try source.read()
      if bytes.isEmpty { break }
      let skipped = Int(min(toSkip, Int64(bytes.count)))
      bytes.removeFirst(skipped)
      toSkip -= Int64(skipped)
      pending += bytes.prefix(Int(clamping: rest))
      rest -= Int64(min(bytes.count, Int(clamping: rest)))
      let whole = pending.count / 16 * 16
      for start in stride(from: 0, to: whole, by: 16) {
        try write(Array(pending[start..<start + 16]))
      }
      pending.removeFirst(whole)
    }
    if !pending.isEmpty { try write(pending) }
    try context.print(hexadecimal(UInt64(offset), width: 8))
  }

  private mutating func write(_ line: [UInt8]) throws {
    defer { offset += Int64(line.count) }
    if line == last, line.count == 16, !context.arguments.has(verbose) {
      if !isSqueezing { try context.print("*") }
      isSqueezing = true
      return
    }
    isSqueezing = false
    last = line
    let cells = line.map { hexadecimal(UInt64($0), width: 2) }
    let left = cells.prefix(8).joined(separator: " ")
    let right = cells.dropFirst(8).joined(separator: " ")
    let text = line.map { (0x20..<0x7F).contains($0) ? Character(Unicode.Scalar($0)) : "." }
    try context.print(
      "\(hexadecimal(UInt64(offset), width: 8))  \(padded(left, 23))  \(padded(right, 23))  "
        + "|\(String(text))|")
  }
}
