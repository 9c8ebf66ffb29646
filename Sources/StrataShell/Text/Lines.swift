/// Bytes cut into lines, each with its newline; the last one may lack it.
struct Lines {
  let all: [ArraySlice<UInt8>]

  init(_ bytes: [UInt8]) {
    var lines: [ArraySlice<UInt8>] = []
    var start = bytes.startIndex
    while start < bytes.endIndex {
      let newline = bytes[start...].firstIndex(of: UInt8(ascii: "\n"))
      let end = newline.map { $0 + 1 } ?? bytes.endIndex
      lines.append(bytes[start..<end])
      start = end
    }
    all = lines
  }
}

/// Lines as they come from a source, without their newlines.
struct LineReader {
  private let source: any ByteSource
  private var buffer: [UInt8] = []
  private var start = 0
  private var isAtEnd = false

  init(_ source: any ByteSource) { self.source = source }

  /// The next line; nil at the end.
  mutating func next() throws -> [UInt8]? {
    var scanned = start
    while true {
      if let newline = buffer[scanned...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = newline + 1 }
        return Array(buffer[start..<newline])
      }
      if isAtEnd {
        guard start < buffer.count else { return nil }
        defer { start = buffer.count }
        return Array(buffer[start...])
      }
      buffer.removeFirst(start)
      start = 0
      scanned = buffer.count
      let bytes = try source.read()
      isAtEnd = bytes.isEmpty
      buffer += bytes
    }
  }
}
