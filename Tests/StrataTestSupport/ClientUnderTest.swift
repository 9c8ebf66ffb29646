public import StrataEngine
import SystemPackage

/// A fork seen through a ``Client`` as root.
public struct ClientUnderTest: FileSystemUnderTest {
  public let client: Client
  public var open: [Int: OpenFile] = [:]

  public init(_ fork: Fork) { client = Client(fork, as: .superuser) }

  public mutating func perform(_ operation: FileOperation) -> FileOutcome {
    do throws(FileError) {
      return try attempt(operation)
    } catch {
      return .failed(error.errno)
    }
  }

  private mutating func attempt(_ operation: FileOperation) throws(FileError) -> FileOutcome {
    switch operation {
    case .status(let path, let follow):
      return .status(FileStatus(try client.attributes(path, follow: follow)))
    case .list(let path):
      let rows = try client.list(path).map { ($0.name, $0.kind) }
      return .names(Dictionary(rows, uniquingKeysWith: { _, _ in .blockDevice }))
    case .read(let path, let count, let offset):
      guard try isRegular(path) else { return .skipped }
      return .bytes(try client.open(path, [.read]).read(count, at: offset))
    case .readLink(let path): return .bytes(try client.readLink(path))
    case .attributesList(let path, let follow):
      return .xattrs(try client.extendedAttributes(path, follow: follow))
    case .create(let path, _, false) where isSpecial(path): return .skipped
    case .create, .makeDirectory, .makeSymlink, .makeSpecial, .link, .unlink, .removeDirectory,
      .rename:
      try changeNames(operation)
    case .setMode, .setOwner, .setTimes, .setXattr, .removeXattr: try changeAttributes(operation)
    case .truncate, .write, .allocate: return try changeContent(operation)
    default: return try changeOpen(operation)
    }
    return .done
  }

  private func changeNames(_ operation: FileOperation) throws(FileError) {
    switch operation {
    case .create(let path, let mode, let exclusive):
      _ = try client.open(path, [.write], create: mode, exclusive: exclusive)
    case .makeDirectory(let path, let mode): try client.makeDirectory(path, mode: mode)
    case .makeSymlink(let path, let target): try client.makeSymlink(path, target: target)
    case .makeSpecial(let path, let kind, let device, let mode):
      try client.makeSpecial(path, kind, device: device, mode: mode)
    case .link(let path, let other): try client.link(path, as: other)
    case .unlink(let path): try client.unlink(path)
    case .removeDirectory(let path): try client.removeDirectory(path)
    case .rename(let path, let other, let flags): try client.rename(path, to: other, flags)
    default: throw FileError(.notSupported)
    }
  }

  private func changeAttributes(_ operation: FileOperation) throws(FileError) {
    switch operation {
    case .setMode(let path, let mode): try client.setAttributes(path, AttributeChanges(mode: mode))
    case .setOwner(let path, let uid, let gid, let follow):
      try client.setAttributes(path, AttributeChanges(uid: uid, gid: gid), follow: follow)
    case .setTimes(let path, let accessed, let modified, let follow):
      let changes = AttributeChanges(accessed: accessed, modified: modified)
      try client.setAttributes(path, changes, follow: follow)
    case .setXattr(let path, let name, let value, let mode, let follow):
      try client.setExtendedAttribute(path, name, value, mode, follow: follow)
    case .removeXattr(let path, let name, let follow):
      try client.removeExtendedAttribute(path, name, follow: follow)
    default: throw FileError(.notSupported)
    }
  }

  private func changeContent(_ operation: FileOperation) throws(FileError) -> FileOutcome {
    switch operation {
    case .truncate(let path, let size):
      if size >= 0, try !isRegular(path) { return .skipped }
      try client.setAttributes(path, AttributeChanges(size: size))
    case .write(let path, let bytes, let offset):
      guard try isRegular(path) else { return .skipped }
      let options: OpenOptions = offset == nil ? [.write, .append] : [.write]
      guard try client.open(path, options).write(bytes, at: offset ?? 0) == bytes.count else {
        throw FileError(.ioError, "short write")
      }
    case .allocate(let path, let range, let mode):
      guard try isRegular(path) else { return .skipped }
      try client.open(path, [.write]).allocate(range, mode)
    default: throw FileError(.notSupported)
    }
    return .done
  }

  private mutating func changeOpen(_ operation: FileOperation) throws(FileError) -> FileOutcome {
    switch operation {
    case .open(let slot, let path, let options):
      open[slot] = nil
      guard try isRegular(path) else { return .skipped }
      open[slot] = try client.open(path, options)
    case .close(let slot): open[slot] = nil
    case .readOpen(let slot, let count, let offset):
      guard let file = open[slot] else { return .skipped }
      return .bytes(try file.read(count, at: offset))
    case .writeOpen(let slot, let bytes, let offset):
      guard let file = open[slot] else { return .skipped }
      guard try file.write(bytes, at: offset) == bytes.count else {
        throw FileError(.ioError, "short write")
      }
    case .truncateOpen(let slot, let size):
      guard let file = open[slot] else { return .skipped }
      try file.truncate(to: size)
    case .allocateOpen(let slot, let range, let mode):
      guard let file = open[slot] else { return .skipped }
      try file.allocate(range, mode)
    case .statusOpen(let slot):
      guard let file = open[slot] else { return .skipped }
      return .status(FileStatus(try file.attributes()))
    default: throw FileError(.notSupported)
    }
    return .done
  }

  private func isSpecial(_ path: [UInt8]) -> Bool {
    guard let kind = try? client.attributes(path).kind else { return false }
    return kind != .regular && kind != .directory
  }

  /// Whether opening it can neither block nor reach a device; a directory is opened for its error.
  private func isRegular(_ path: [UInt8]) throws(FileError) -> Bool {
    let kind = try client.attributes(path).kind
    return kind == .regular || kind == .directory
  }
}
