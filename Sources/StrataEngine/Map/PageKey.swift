/// A key of a ``PersistentMap``.
protocol PageKey: Comparable, Sendable {
  /// 64 bits in the order of the keys: of two keys the smaller has no greater digest.
  var digest: UInt64 { get }
  /// A key that none is below.
  static var lowest: Self { get }
  /// The form in a page's record.
  func write(to writer: inout PageWriter)
  init(from reader: inout PageReader) throws(FileError)
}

extension UInt64: PageKey {
  var digest: UInt64 { self }
  static var lowest: UInt64 { 0 }
  func write(to writer: inout PageWriter) { writer.number(self) }
  init(from reader: inout PageReader) throws(FileError) { self = try reader.number() }
}

extension NodeID: PageKey {
  var digest: UInt64 { rawValue }
  static var lowest: NodeID { NodeID(0) }
  func write(to writer: inout PageWriter) { writer.number(rawValue) }
  init(from reader: inout PageReader) throws(FileError) { self.init(try reader.number()) }
}
