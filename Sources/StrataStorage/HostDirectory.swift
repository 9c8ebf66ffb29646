public import StrataEngine
package import StrataSystem
internal import Synchronization
internal import SystemPackage

/// A directory of the host as a base: never written, and nothing outside it is reached.
///
/// The directory is opened once; everything below is found from that descriptor by openat2 with
/// RESOLVE_BENEATH, and no symbolic link of the host is followed. It stays the same directory when
/// the host moves it, or mounts something over its path. Access times are left alone where the
/// kernel lets us. No descriptor of a directory below is used for long: it would go on showing a
/// directory that another one has replaced (``RecentDirectories``).
public final class HostDirectory: BaseReader {
  public let title: String
  private let root: Descriptor
  private let hidden: HiddenNames
  private let resolution: Descriptor.Resolution
  /// By device number: whether an inode's birth is part of its identity there.
  private let births = Mutex<[UInt64: Bool]>([:])
  private let recent: RecentDirectories
  let covered = CoveredPlaces()
  /// The same directory through a mount that cannot be written through; made when it is needed.
  private let readOnlyRoot = Mutex<ReadOnlyRoot>(.unknown)

  private enum ReadOnlyRoot {
    case unknown
    case none
    case root(Descriptor)
  }

  /// - Parameters:
  ///   - path: as the user typed it; symbolic links on the way to the directory itself are followed.
  ///   - hiding: names at the top that are not shown.
  /// - Throws: ENOENT, ENOTDIR, EACCES.
  public convenience init(path: [UInt8], hiding hidden: HiddenNames = []) throws(FileError) {
    try self.init(path: path, hiding: hidden, by: .kernel)
  }

  package init(
    path: [UInt8], hiding hidden: HiddenNames = [], by resolution: Descriptor.Resolution
  ) throws(FileError) {
    title = String(decoding: Self.absolute(path), as: UTF8.self)
    self.hidden = hidden
    self.resolution = resolution
    do throws(Errno) {
      root = try Descriptor(path: path, [.path, .directory])
    } catch {
      throw FileError(error)
    }
    recent = RecentDirectories(below: root)
  }

  /// The path for people, whatever the process's working directory becomes.
  private static func absolute(_ path: [UInt8]) -> [UInt8] {
    guard path.first != UInt8(ascii: "/"), let here = workingDirectory() else { return path }
    return path == [UInt8(ascii: ".")] ? here : here + [UInt8(ascii: "/")] + path
  }

  public var place: HeldPath { HeldPath(shown: Array(title.utf8), root) }

  /// Bytes free on the file system that the directory is on.
  public func freeBytes() throws(FileError) -> Int64 {
    do throws(Errno) { return try root.freeBytes() } catch { throw FileError(error) }
  }

  // MARK: The ways to an object

  /// Opens to say which object is meant; waits for nothing and touches nothing.
  /// - Throws: ENOENT for what is hidden, too.
  private func find(_ path: BasePath) throws(Errno) -> Descriptor {
    try start(of: path).open(beneath: try shown(path), [.path], by: resolution)
  }

  /// What lies at a mount point, or below it.
  private func underMount(_ path: BasePath) throws(Errno) -> BaseStatus? {
    let object = try find(path)
    let status = try object.status()
    return BaseStatus(status, birthLasts: birthLasts(on: status.device, object))
  }

  /// Where the way to a path begins.
  private func start(of path: BasePath) throws(Errno) -> Descriptor {
    guard covered.contain(path) else { return root }
    guard let uncovered else { throw .resourceBusy }
    return uncovered
  }

  /// The same directory alone, without what is mounted below it, and not to be written through.
  var uncovered: Descriptor? {
    readOnlyRoot.withLock { known -> Descriptor? in
      if case .unknown = known {
        known = (try? root.readOnlyMount()).map { .root($0) } ?? ReadOnlyRoot.none
      }
      if case .root(let mount) = known { return mount }
      return nil
    }
  }

  private func shown(_ path: BasePath) throws(Errno) -> [UInt8] {
    if !hidden.isEmpty {
      var top = path
      while let parent = top.parent, parent.parent != nil { top = parent }
      if hidden.contains(top.name) { throw .noSuchFileOrDirectory }
    }
    return path.bytes
  }

  /// Opens a regular file, and nothing else even if something else took its place.
  private func openFile(_ path: BasePath) throws(Errno) -> HostFile {
    if let directory = path.parent, directory.parent != nil, !covered.contain(path) {
      let parent = try recent.get(directory) { () throws(Errno) in try find(directory) }
      let (file, status) = try parent.openRegular(path.name.bytes)
      return HostFile(file, birthLasts: birthLasts(on: status.device, file))
    }
    let found = try find(path)
    let bytes = try shown(path)
    let (file, status) = try found.openFound { flags throws(Errno) in
      try start(of: path).open(beneath: bytes, flags, by: resolution)
    }
    return HostFile(file, birthLasts: birthLasts(on: status.device, file))
  }

  /// Asks the file system once for each device.
  private func birthLasts(on device: UInt64, _ object: Descriptor) -> Bool {
    (try? birthLasts(on: device) { () throws(Errno) in object }) ?? false
  }

  private func birthLasts(
    on device: UInt64, _ object: () throws(Errno) -> Descriptor
  ) throws(Errno) -> Bool {
    if let known = births.withLock({ $0[device] }) { return known }
    let asked = (try? object().birthLasts()) ?? false
    births.withLock { $0[device] = asked }
    return asked
  }
}

extension HostDirectory {
  public func startEpoch() { recent.forget() }

  public func status(of path: BasePath) throws(FileError) -> BaseStatus? {
    do throws(Errno) {
      guard let directory = path.parent else {
        var status = try root.status()
        // It counts what is hidden as well; the names that are shown tell.
        if !hidden.isEmpty { status.links = 1 }
        return BaseStatus(status, birthLasts: birthLasts(on: status.device, root))
      }
      if directory.parent == nil, hidden.contains(path.name) { return nil }
      if covered.contain(path) { return try underMount(path) }
      return try status(
        of: path.name,
        in: try recent.get(directory) { () throws(Errno) in
          try find(directory)
        })
    } catch {
      switch error {
      case .noSuchFileOrDirectory, .notDirectory: return nil
      // A directory on the way is a symbolic link by now: what was looked for is gone.
      case .tooManySymbolicLinkLevels: return nil
      // A name that the host's file system cannot hold.
      case .fileNameTooLong: return nil
      default: throw FileError(error)
      }
    }
  }

  public func statuses(
    of names: [Name], in directory: BasePath
  ) throws(FileError) -> [BaseStatus?] {
    do throws(Errno) {
      let parent = try recent.get(directory) { () throws(Errno) in try find(directory) }
      let isTop = directory.parent == nil
      var found: [BaseStatus?] = []
      for name in names {
        guard !isTop || !hidden.contains(name) else {
          found.append(nil)
          continue
        }
        do throws(Errno) {
          let path = directory.appending(name)
          found.append(
            covered.contain(path) ? try underMount(path) : try status(of: name, in: parent))
        } catch .noSuchFileOrDirectory {
          found.append(nil)
        }
      }
      return found
    } catch {
      throw FileError(error)
    }
  }

  /// One name leads nowhere but into the directory.
  private func status(of name: Name, in directory: Descriptor) throws(Errno) -> BaseStatus? {
    let status = try directory.status(ofEntry: name.bytes)
    let lasts = try birthLasts(on: status.device) { () throws(Errno) in
      try directory.open(beneath: name.bytes, [.path], by: resolution)
    }
    return BaseStatus(status, birthLasts: lasts)
  }

  public func list(_ path: BasePath) throws(FileError) -> [BaseEntry] {
    do throws(Errno) {
      let bytes = try shown(path)
      let directory = try quietly { flags throws(Errno) in
        try start(of: path).open(beneath: bytes, [.read, .directory, flags], by: resolution)
      }
      let entries = try directory.entries()
      guard path.parent == nil, !hidden.isEmpty else { return entries }
      return entries.filter { !hidden.contains($0.name) }
    } catch {
      throw FileError(error == .tooManySymbolicLinkLevels ? .notDirectory : error)
    }
  }

  public func readLink(_ path: BasePath) throws(FileError) -> [UInt8] {
    do throws(Errno) { return try find(path).readLink() } catch { throw FileError(error) }
  }

  public func extendedAttributes(of path: BasePath) throws(FileError) -> [Name: [UInt8]] {
    do throws(Errno) {
      let pairs = try find(path).extendedAttributes()
      return Dictionary(pairs.map { (Name($0.name), $0.value) }, uniquingKeysWith: { $1 })
    } catch {
      throw FileError(error)
    }
  }

  public func withReadOnlyDescriptor<R>(
    of path: BasePath, _ stamp: BaseStamp, _ body: (Int32) -> R
  ) -> R? {
    guard let mounted = uncovered, let bytes = try? shown(path),
      let file = try? mounted.open(beneath: bytes, [.read], by: resolution),
      let status = try? file.status(),
      BaseStatus(status, birthLasts: birthLasts(on: status.device, file))?.stamp == stamp
    else { return nil }
    return body(file.rawValue)
  }

  public func open(_ path: BasePath) throws(FileError) -> any BaseFile {
    do throws(Errno) { return try openFile(path) } catch { throw FileError(error) }
  }
}

extension BaseStatus {
  /// Nil for a type of file that Linux does not have.
  /// - Parameter birthLasts: whether the birth is the inode's for good, and so part of its identity.
  init?(_ status: FileStatus, birthLasts: Bool) {
    guard let kind = FileKind(modeBits: status.mode) else { return nil }
    self.init(
      identity: BaseIdentity(
        device: status.device, inode: status.inode,
        generation: birthLasts ? UInt64(bitPattern: status.born) : 0),
      kind: kind, mode: status.mode & 0o7777, links: status.links, uid: status.uid,
      gid: status.gid, size: status.size, blocks: status.blocks, device: status.special,
      accessed: status.accessed, modified: status.modified, changed: status.changed)
    born = status.born
  }
}
