internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// A name in a directory that is held open, so that what happens to the path meanwhile cannot lead
/// elsewhere.
struct HostLocation {
  let directory: Descriptor
  /// One name, neither empty nor `.` or `..`.
  let name: [UInt8]

  /// Opens the directory that a path lies in, symbolic links on the way followed.
  /// - Parameter start: where a relative path begins; nil is the working directory.
  /// - Throws: ENOENT for an empty path, EINVAL for one that ends in `.` or `..`, is the root, or has
  ///   a NUL inside.
  init(_ path: [UInt8], from start: Descriptor? = nil) throws(Errno) {
    guard !path.isEmpty else { throw .noSuchFileOrDirectory }
    guard !path.contains(0) else { throw .invalidArgument }
    let slash = UInt8(ascii: "/")
    guard let end = path.lastIndex(where: { $0 != slash }) else { throw .invalidArgument }
    let trimmed = path[...end]
    let begin = trimmed.lastIndex(of: slash).map { $0 + 1 } ?? 0
    name = Array(trimmed[begin...])
    guard name != Array(".".utf8), name != Array("..".utf8) else { throw .invalidArgument }
    guard name.count <= Name.maximumLength else { throw .fileNameTooLong }
    let parent = begin == 0 ? Array(".".utf8) : Array(path[..<begin])
    directory = try Descriptor(path: parent, [.path, .directory], from: start)
  }

  /// The kind and all the rest of what has the name; nil if nothing has.
  func status() throws(Errno) -> FileStatus? {
    do throws(Errno) { return try directory.status(ofEntry: name) } catch .noSuchFileOrDirectory {
      return nil
    }
  }

  /// Where writing to the name would write: through symbolic links, to what they name, which need
  /// not be there. A link of /proc is not followed: it leads to an open file, which may have no path
  /// at all.
  /// - Throws: ELOOP after 40 links.
  func followed() throws(Errno) -> (place: HostLocation, isOpenFile: Bool) {
    var place = self
    for _ in 0..<40 {
      guard let status = try place.status(), FileKind(modeBits: status.mode) == .symlink else {
        return (place, false)
      }
      if try place.directory.isOnProc() { return (place, true) }
      let target = try place.directory.open(entry: place.name, [.path]).readLink()
      place = try HostLocation(target, from: place.directory)
    }
    throw .tooManySymbolicLinkLevels
  }

  /// Makes something under a name that nobody has, gives it to `body`, and lets it take the real
  /// name in one step. When anything fails, nothing of it is left.
  func make(
    _ existing: HostTree.Existing, _ body: (_ temporary: [UInt8]) throws(FileError) -> Void
  ) throws(FileError) {
    let temporary = Self.temporaryName()
    do throws(FileError) {
      try body(temporary)
      do throws(Errno) { try publish(temporary, existing) } catch { throw FileError(error) }
    } catch {
      try? directory.unlink(temporary)
      throw error
    }
  }

  /// Gives what is called `temporary` the real name.
  func publish(_ temporary: [UInt8], _ existing: HostTree.Existing) throws(Errno) {
    switch existing {
    case .replace: try directory.rename(temporary, to: name, keepingExisting: false)
    case .refuse:
      do throws(Errno) {
        try directory.rename(temporary, to: name, keepingExisting: true)
      } catch .invalidArgument {
        // A file system that does not know RENAME_NOREPLACE; link(2) promises the same.
        try directory.link(temporary, in: directory, as: name)
        try directory.unlink(temporary)
      }
    }
  }

  /// Hidden, and with 64 random bits, so that nobody has it already or guesses it.
  static func temporaryName() -> [UInt8] {
    let random = UInt64.random(in: .min ... .max)
    return Array(".strata-\(String(random, radix: 16))".utf8)
  }
}
