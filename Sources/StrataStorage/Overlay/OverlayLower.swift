public import StrataEngine

/// A lower directory as overlayfs has them: perhaps a former upper one, whose whiteouts and opaque
/// directories hide what the directories below it hold, whose directories may show others below
/// (redirect_dir) and whose files may have their content below (metacopy).
public final class OverlayLower: BaseReader {
  public let directory: HostDirectory
  /// Nothing is below it that could be hidden.
  private let isLowest: Bool
  /// Its top has a note of the format.
  private let isFormerUpper: Bool

  public init(_ directory: HostDirectory, isLowest: Bool) {
    self.directory = directory
    self.isLowest = isLowest
    let notes = (try? directory.extendedAttributes(of: .empty)) ?? [:]
    isFormerUpper = notes.keys.contains(where: OverlayUpper.isOwn)
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
      let notes = try directory.extendedAttributes(of: path)
      let value = OverlayUpper.own(OverlayUpper.opaque, in: notes)
      status.isOpaque = value?.first == UInt8(ascii: "y")
      status.redirect = try redirect(notes)
    case .regular where mayLackContent(status):
      let notes = try directory.extendedAttributes(of: path)
      status.hasContentBelow = OverlayUpper.own(OverlayUpper.metacopy, in: notes) != nil
      if status.hasContentBelow { status.redirect = try redirect(notes) }
    default: break
    }
    return status
  }

  /// Whether a file takes no more room than its attributes do. A directory that was no upper one has
  /// such files if they are all hole, too.
  private func mayLackContent(_ status: BaseStatus) -> Bool {
    status.size > 0 && status.blocks <= (isFormerUpper ? 8 : 0)
  }

  private func redirect(_ notes: [Name: [UInt8]]) throws(FileError) -> [UInt8]? {
    guard let target = OverlayUpper.own(OverlayUpper.redirect, in: notes) else { return nil }
    let names = target.split(separator: UInt8(ascii: "/"))
    let isPath = target.first == UInt8(ascii: "/")
    guard !names.isEmpty, isPath || names.count == 1,
      !names.contains(where: { $0.elementsEqual("..".utf8) || $0.elementsEqual(".".utf8) })
    else { throw FileError(.ioError, "a redirect that leads nowhere") }
    return target
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
    OverlayUpper.shown(try directory.extendedAttributes(of: path))
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
