public import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// A directory of the host as a base: never written, and nothing outside it is reached.
///
/// The directory is opened once; everything below is found from that descriptor by openat2 with
/// RESOLVE_BENEATH, and no symbolic link of the host is followed. It stays the same directory when
/// the host moves it, or mounts something over its path. Access times are left alone where the
/// kernel lets us.
public final class HostDirectory: BaseReader {
  public let title: String
  private let root: Descriptor
  private let hidden: Set<Name>

  /// - Parameters:
  ///   - path: as the user typed it; symbolic links on the way to the directory itself are followed.
  ///   - hiding: names at the top that are not shown.
  /// - Throws: ENOENT, ENOTDIR, EACCES.
  public init(path: [UInt8], hiding hidden: Set<Name> = []) throws(FileError) {
    title = String(decoding: Self.absolute(path), as: UTF8.self)
    self.hidden = hidden
    do throws(Errno) {
      root = try Descriptor(path: path, [.path, .directory])
    } catch {
      throw FileError(error)
    }
  }

  /// The path for people, whatever the process's working directory becomes.
  private static func absolute(_ path: [UInt8]) -> [UInt8] {
    guard path.first != UInt8(ascii: "/"), let here = workingDirectory() else { return path }
    return path == [UInt8(ascii: ".")] ? here : here + [UInt8(ascii: "/")] + path
  }

  public func status(of path: BasePath) throws(FileError) -> BaseStatus? {
    guard isShown(path) else { return nil }
    do throws(Errno) {
      return BaseStatus(try open(path, [.path]).status())
    } catch {
      switch error {
      case .noSuchFileOrDirectory, .notDirectory: return nil
      // A directory on the way is a symbolic link by now: what was looked for is gone.
      case .tooManySymbolicLinkLevels: return nil
      default: throw FileError(error)
      }
    }
  }

  public func list(_ path: BasePath) throws(FileError) -> [BaseEntry] {
    do throws(Errno) {
      let directory = try openQuietly(path, [.read, .directory])
      var entries: [BaseEntry] = []
      for (bytes, type) in try directory.names() {
        let name = Name(bytes)
        if path.parent == nil, hidden.contains(name) { continue }
        guard let kind = try kind(of: bytes, type, in: directory) else { continue }
        entries.append(BaseEntry(name: name, kind: kind))
      }
      return entries
    } catch {
      throw FileError(error)
    }
  }

  /// `d_type` says `S_IFMT` shifted by 12, or 0 where the file system does not know.
  private func kind(
    of name: [UInt8], _ type: UInt8, in directory: Descriptor
  ) throws(Errno) -> FileKind? {
    if type != 0 { return FileKind(modeBits: UInt32(type) << 12) }
    do throws(Errno) {
      return FileKind(modeBits: try directory.status(ofEntry: name).mode)
    } catch .noSuchFileOrDirectory {
      return nil
    }
  }

  public func readLink(_ path: BasePath) throws(FileError) -> [UInt8] {
    do throws(Errno) { return try open(path, [.path]).readLink() } catch { throw FileError(error) }
  }

  public func extendedAttributes(of path: BasePath) throws(FileError) -> [Name: [UInt8]] {
    do throws(Errno) {
      let pairs = try open(path, [.path]).extendedAttributes()
      return Dictionary(pairs.map { (Name($0.name), $0.value) }, uniquingKeysWith: { $1 })
    } catch {
      throw FileError(error)
    }
  }

  public func open(_ path: BasePath) throws(FileError) -> any BaseFile {
    do throws(Errno) {
      // Not blocking, in case a FIFO stands there by now.
      let file = try openQuietly(path, [.read, .nonBlocking])
      let status = try file.status()
      guard FileKind(modeBits: status.mode) == .regular else { throw Errno.staleNFSFileHandle }
      return HostFile(file)
    } catch {
      throw FileError(error)
    }
  }

  /// Bytes free on the file system that the directory is on.
  public func freeBytes() throws(FileError) -> Int64 {
    do throws(Errno) { return try root.freeBytes() } catch { throw FileError(error) }
  }

  private func isShown(_ path: BasePath) -> Bool {
    hidden.isEmpty || !(path.names.first.map(hidden.contains) ?? false)
  }

  private func open(_ path: BasePath, _ flags: OpenFlags) throws(Errno) -> Descriptor {
    try root.open(beneath: path.bytes, flags)
  }

  /// Reading must not show on the host; only a file's owner may ask for that.
  private func openQuietly(_ path: BasePath, _ flags: OpenFlags) throws(Errno) -> Descriptor {
    do throws(Errno) {
      return try open(path, flags.union(.keepAccessTime))
    } catch .notPermitted {
      return try open(path, flags)
    }
  }
}

extension BaseStatus {
  /// Nil for a type of file that Linux does not have.
  init?(_ status: FileStatus) {
    guard let kind = FileKind(modeBits: status.mode) else { return nil }
    self.init(
      identity: BaseIdentity(
        device: status.device, inode: status.inode, generation: UInt64(bitPattern: status.born)),
      kind: kind, mode: status.mode & 0o7777, links: status.links, uid: status.uid,
      gid: status.gid, size: status.size, blocks: status.blocks, device: status.special,
      accessed: status.accessed, modified: status.modified, changed: status.changed)
  }
}
