internal import StrataEngine

extension Context {
  /// What a command reads for an operand: a file, or standard input for `-`.
  func source(_ path: [UInt8]) throws -> any ByteSource {
    if path == [UInt8]("-") { return input }
    return FileSource(try openForReading(path))
  }

  /// - Throws: EISDIR for a directory, which can be opened but not read.
  func openForReading(_ path: [UInt8]) throws(FileError) -> OpenFile {
    let file = try client.open(path, [.read])
    guard try file.attributes().kind != .directory else { throw .isDirectory }
    return file
  }

  /// The operands, of which there must be some.
  func requiredOperands(_ what: String) throws(UsageError) -> [[UInt8]] {
    guard !operands.isEmpty else { throw UsageError("\(what) is missing") }
    return operands
  }

  /// A whole number of an option, with the units of ``SizeText``.
  func size(_ option: Option) throws(UsageError) -> Int64? {
    guard let text = arguments.value(option) else { return nil }
    guard let size = SizeText.parse(text) else {
      throw UsageError("\(option.name) needs a number of bytes, not \(text.shown)")
    }
    return size
  }

  func number(_ option: Option) throws(UsageError) -> Int? {
    guard let text = arguments.value(option) else { return nil }
    guard let number = Int(text.text), number >= 0 else {
      throw UsageError("\(option.name) needs a number, not \(text.shown)")
    }
    return number
  }

  /// Where `cp`, `mv`, `ln` put a source: into the target if that is a directory.
  func target(
    for source: [UInt8], in target: [UInt8], asIs: Bool, count: Int
  ) throws -> [UInt8] {
    let kind = try? client.attributes(target).kind
    if !asIs, kind == .directory { return target.appending(component: source.lastComponent) }
    if count > 1 { throw PathFailure(target, kind == nil ? .notFound : .notDirectory) }
    return target
  }
}
