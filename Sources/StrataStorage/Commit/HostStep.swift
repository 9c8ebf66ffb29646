internal import StrataEngine

/// One change of the host's tree by a commit. Each can be seen to be done or not, so that a commit
/// that was broken off can be finished by doing what is not done.
///
/// Paths are the namespace's, absolute. Staged names are in the commit's directory.
enum HostStep: Equatable {
  /// The file at the path, the inode of which is given, gets a staged name as well.
  case link([UInt8], as: [UInt8], inode: UInt64)
  /// The same file gets a further path; its staged name is for ``drop(_:)``.
  case add([UInt8], at: [UInt8], inode: UInt64)
  case drop([UInt8])
  /// A file that has other names, too, loses this one.
  case unname([UInt8], inode: UInt64)
  /// What is at the path, the inode of which is given, goes to the commit's directory.
  case take([UInt8], as: [UInt8], inode: UInt64)
  /// What is staged gets the path.
  case put([UInt8], at: [UInt8])
  /// What is staged, the inode of which is given, and what is at the path change places.
  case swap([UInt8], with: [UInt8], inode: UInt64)
  /// What is at the path gets attributes; it had the others.
  case dress([UInt8], HostAttributes, former: HostAttributes)

  func write(to writer: inout PageWriter) {
    switch self {
    case .link(let path, let name, let inode):
      writer.byte(5)
      writer.bytes(path)
      writer.bytes(name)
      writer.number(inode)
    case .add(let name, let path, let inode):
      writer.byte(6)
      writer.bytes(name)
      writer.bytes(path)
      writer.number(inode)
    case .drop(let name):
      writer.byte(7)
      writer.bytes(name)
    case .unname(let path, let inode):
      writer.byte(8)
      writer.bytes(path)
      writer.number(inode)
    case .take(let path, let name, let inode):
      writer.byte(1)
      writer.bytes(path)
      writer.bytes(name)
      writer.number(inode)
    case .put(let name, let path):
      writer.byte(2)
      writer.bytes(name)
      writer.bytes(path)
    case .swap(let name, let path, let inode):
      writer.byte(3)
      writer.bytes(name)
      writer.bytes(path)
      writer.number(inode)
    case .dress(let path, let attributes, let former):
      writer.byte(4)
      writer.bytes(path)
      attributes.write(to: &writer)
      former.write(to: &writer)
    }
  }

  init(from reader: inout PageReader) throws(FileError) {
    switch try reader.byte() {
    case 1:
      self = .take(try reader.bytes(), as: try reader.bytes(), inode: try reader.number())
    case 2: self = .put(try reader.bytes(), at: try reader.bytes())
    case 3:
      self = .swap(
        try reader.bytes(), with: try reader.bytes(), inode: try reader.number())
    case 4:
      self = .dress(
        try reader.bytes(), try HostAttributes(from: &reader),
        former: try HostAttributes(from: &reader))
    case 5:
      self = .link(try reader.bytes(), as: try reader.bytes(), inode: try reader.number())
    case 6: self = .add(try reader.bytes(), at: try reader.bytes(), inode: try reader.number())
    case 7: self = .drop(try reader.bytes())
    case 8: self = .unname(try reader.bytes(), inode: try reader.number())
    default: throw .damaged
    }
  }
}

extension HostAttributes {
  fileprivate func write(to writer: inout PageWriter) {
    for value in [mode, uid, gid] { writer.number(value.map { UInt64($0) + 1 } ?? 0) }
    for value in [accessed, modified] {
      writer.byte(value == nil ? 0 : 1)
      writer.signed(value ?? 0)
    }
    writer.number(UInt64(extendedAttributes.count))
    for (name, value) in extendedAttributes.sorted(by: { $0.key < $1.key }) {
      writer.bytes(name.bytes)
      writer.bytes(value)
    }
  }

  fileprivate init(from reader: inout PageReader) throws(FileError) {
    func number() throws(FileError) -> UInt32? {
      let value = try reader.number()
      return value == 0 ? nil : UInt32(truncatingIfNeeded: value - 1)
    }
    func time() throws(FileError) -> Timestamp? {
      let isThere = try reader.byte() == 1
      let value = try reader.signed()
      return isThere ? value : nil
    }
    self.init(
      mode: try number(), uid: try number(), gid: try number(), accessed: try time(),
      modified: try time())
    for _ in 0..<(try reader.count()) {
      let name = Name(try reader.bytes())
      extendedAttributes[name] = try reader.bytes()
    }
  }
}
