public import StrataEngine

/// A lower directory as overlayfs has them: perhaps a former upper one, whose whiteouts and opaque
/// directories hide what the directories below it hold.
public final class OverlayLower: BaseReader {
  public let directory: HostDirectory
  /// Nothing is below it that could be hidden.
  private let isLowest: Bool

  public init(_ directory: HostDirectory, isLowest: Bool) {
    self.directory = directory
    self.isLowest = isLowest
  }

  public var title: String { directory.title }

  public func status(of path: BasePath) throws(FileError) -> BaseStatus? {
    try marked(try directory.status(of: path), path)
  }

  public func statuses(
    of names: [Name], in directory: BasePath
  ) throws(FileError) -> [BaseStatus?] {
    var found = try self.directory.statuses(of: names, in: directory)
    for (index, name) in names.enumerated() {
      found[index] = try marked(found[index], directory.appending(name))
    }
    return found
  }

  private func marked(_ status: BaseStatus?, _ path: BasePath) throws(FileError) -> BaseStatus? {
    guard var status else { return nil }
    switch status.kind {
    case .characterDevice: status.isWhiteout = status.device == 0
    case .directory where !isLowest:
      let value = OverlayUpper.own(
        OverlayUpper.opaque, in: try directory.extendedAttributes(of: path))
      status.isOpaque = value?.first == UInt8(ascii: "y")
    default: break
    }
    return status
  }

  public func list(_ path: BasePath) throws(FileError) -> [BaseEntry] {
    var entries = try directory.list(path)
    for index in entries.indices where entries[index].kind == .characterDevice {
      let status = try status(of: path.appending(entries[index].name))
      entries[index].isWhiteout = status?.isWhiteout == true
    }
    return entries
  }

  public func readLink(_ path: BasePath) throws(FileError) -> [UInt8] {
    try directory.readLink(path)
  }

  /// Those of the format itself are not shown.
  public func extendedAttributes(of path: BasePath) throws(FileError) -> [Name: [UInt8]] {
    try directory.extendedAttributes(of: path).filter { !OverlayUpper.isOwn($0.key) }
  }

  public func open(_ path: BasePath) throws(FileError) -> any BaseFile {
    try directory.open(path)
  }

  public func withReadOnlyDescriptor<R>(
    of path: BasePath, _ stamp: BaseStamp, _ body: (Int32) -> R
  ) -> R? {
    directory.withReadOnlyDescriptor(of: path, stamp, body)
  }
}
