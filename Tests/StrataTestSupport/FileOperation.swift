public import StrataEngine

/// One thing to do to a file system by path: the common tongue in which the engine, a model of it
/// and the kernel are told the same.
public enum FileOperation: Sendable {
  case status([UInt8], follow: Bool)
  case list([UInt8])
  case read([UInt8], count: Int, at: Int64)
  case readLink([UInt8])
  case attributesList([UInt8], follow: Bool)
  case create([UInt8], mode: UInt32, exclusive: Bool)
  case makeDirectory([UInt8], mode: UInt32)
  case makeSymlink([UInt8], target: [UInt8])
  case makeSpecial([UInt8], FileKind, device: UInt64, mode: UInt32)
  case link([UInt8], as: [UInt8])
  case unlink([UInt8])
  case removeDirectory([UInt8])
  case rename([UInt8], to: [UInt8], RenameFlags)
  case setMode([UInt8], UInt32)
  case setOwner([UInt8], uid: UInt32?, gid: UInt32?, follow: Bool)
  case setTimes([UInt8], accessed: Timestamp?, modified: Timestamp?, follow: Bool)
  case truncate([UInt8], Int64)
  /// Opens for writing what exists; a nil offset appends.
  case write([UInt8], [UInt8], at: Int64?)
  case allocate([UInt8], Range<Int64>, AllocateMode)
  case setXattr([UInt8], Name, [UInt8], XattrMode, follow: Bool)
  case removeXattr([UInt8], Name, follow: Bool)
  /// Files that stay open, each in a numbered place that is closed first.
  case open(Int, [UInt8], OpenOptions)
  case close(Int)
  case readOpen(Int, count: Int, at: Int64)
  case writeOpen(Int, [UInt8], at: Int64)
  case truncateOpen(Int, Int64)
  case allocateOpen(Int, Range<Int64>, AllocateMode)
  case statusOpen(Int)
}

extension FileOperation {
  /// The paths that it makes where it succeeds.
  public var madePaths: [[UInt8]] {
    switch self {
    case .create(let path, _, _), .makeDirectory(let path, _), .makeSymlink(let path, _),
      .makeSpecial(let path, _, _, _), .link(_, as: let path), .rename(_, to: let path, _):
      [path]
    default: []
    }
  }

  /// The path that it needs.
  public var path: [UInt8]? {
    switch self {
    case .status(let path, _), .list(let path), .read(let path, _, _), .readLink(let path),
      .attributesList(let path, _), .create(let path, _, _), .makeDirectory(let path, _),
      .makeSymlink(let path, _), .makeSpecial(let path, _, _, _), .link(let path, _),
      .unlink(let path), .removeDirectory(let path), .rename(let path, _, _),
      .setMode(let path, _), .setOwner(let path, _, _, _), .setTimes(let path, _, _, _),
      .truncate(let path, _), .write(let path, _, _), .allocate(let path, _, _),
      .setXattr(let path, _, _, _, _), .removeXattr(let path, _, _), .open(_, let path, _):
      path
    default: nil
    }
  }
}

extension FileOperation: CustomStringConvertible {
  /// For people, on one line; contents are given by their lengths.
  public var description: String {
    switch self {
    case .write(let path, let bytes, let offset):
      "write \(text(path)) \(bytes.count) bytes at \(offset.map(String.init) ?? "end")"
    case .writeOpen(let slot, let bytes, let offset):
      "writeOpen \(slot) \(bytes.count) bytes at \(offset)"
    case .setXattr(let path, let name, let value, let mode, let follow):
      "setXattr \(text(path)) \(name) \(value.count) bytes \(mode) follow=\(follow)"
    case .rename(let path, let other, let flags):
      "rename \(text(path)) \(text(other)) flags=\(flags.rawValue)"
    case .link(let path, let other): "link \(text(path)) \(text(other))"
    case .makeSymlink(let path, let target): "makeSymlink \(text(path)) -> \(text(target))"
    case .create(let path, let mode, let exclusive):
      "create \(text(path)) \(String(mode, radix: 8)) exclusive=\(exclusive)"
    case .makeDirectory(let path, let mode): "makeDirectory \(text(path)) \(String(mode, radix: 8))"
    case .makeSpecial(let path, let kind, _, _): "makeSpecial \(text(path)) \(kind)"
    case .status(let path, let follow): "status \(text(path)) follow=\(follow)"
    case .list(let path): "list \(text(path))"
    case .read(let path, let count, let offset): "read \(text(path)) \(count) at \(offset)"
    case .readLink(let path): "readLink \(text(path))"
    case .attributesList(let path, let follow): "attributesList \(text(path)) follow=\(follow)"
    case .unlink(let path): "unlink \(text(path))"
    case .removeDirectory(let path): "removeDirectory \(text(path))"
    case .setMode(let path, let mode): "setMode \(text(path)) \(String(mode, radix: 8))"
    case .setOwner(let path, let uid, let gid, let follow):
      "setOwner \(text(path)) \(String(describing: uid)):\(String(describing: gid)) follow=\(follow)"
    case .setTimes(let path, let accessed, let modified, let follow):
      "setTimes \(text(path)) \(String(describing: accessed)) \(String(describing: modified)) "
        + "follow=\(follow)"
    case .truncate(let path, let size): "truncate \(text(path)) \(size)"
    case .allocate(let path, let range, let mode): "allocate \(text(path)) \(range) \(mode)"
    case .removeXattr(let path, let name, let follow):
      "removeXattr \(text(path)) \(name) follow=\(follow)"
    case .open(let slot, let path, let options):
      "open \(slot) \(text(path)) options=\(options.rawValue)"
    case .close(let slot): "close \(slot)"
    case .readOpen(let slot, let count, let offset): "readOpen \(slot) \(count) at \(offset)"
    case .truncateOpen(let slot, let size): "truncateOpen \(slot) \(size)"
    case .allocateOpen(let slot, let range, let mode): "allocateOpen \(slot) \(range) \(mode)"
    case .statusOpen(let slot): "statusOpen \(slot)"
    }
  }

  private func text(_ path: [UInt8]) -> String {
    path.count > 80 ? "<\(path.count) bytes>" : "'\(String(decoding: path, as: UTF8.self))'"
  }
}
