internal import Glibc
public import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// Where the commits of a workspace on disk stage and keep: `.strata/kept`, if names can be moved
/// between that and the base; else a directory at the base's top that is not shown, to which
/// `.strata/kept` is a symbolic link then. Once it is decided, it stays so.
public enum KeptPlace {
  private static let name = Array("kept".utf8)

  /// - Parameters:
  ///   - workspace: the `.strata` directory.
  ///   - base: the host directory, absolute.
  /// - Returns: what is in the base is made by the first commit.
  public static func find(workspace: HeldPath, base: HeldPath) throws(FileError) -> HeldPath {
    let host = HostTree()
    let own = workspace.appending(name)
    let known = try host.status(own.path)
    if known?.kind == .symlink { return try self.known(workspace: workspace, base: base) }
    let isUsed = try known != nil ? !host.list(own.path).isEmpty : false
    let stays = try isUsed ? true : canMove(from: workspace.path, to: base.path)
    if stays {
      try host.makeDirectory(own.path, mode: 0o700, existing: .replace)
      return own
    }
    if known != nil { try host.remove(own.path) }
    let number = String(UInt64.random(in: .min ... .max), radix: 16)
    let place = base.appending(HiddenNames.commits + Array("s-\(number)".utf8))
    try host.makeSymlink(own.path, target: place.shown)
    return place
  }

  /// The place as it is, for who writes nothing.
  public static func known(workspace: HeldPath, base: HeldPath?) throws(FileError) -> HeldPath {
    let host = HostTree()
    let own = workspace.appending(name)
    guard try host.status(own.path)?.kind == .symlink else { return own }
    let target = try host.readLink(own.path)
    return base?.reached(by: target) ?? HeldPath(target)
  }

  /// Asks the kernel, by a name that there cannot be, so that nothing is moved.
  private static func canMove(from one: [UInt8], to other: [UInt8]) throws(FileError) -> Bool {
    let impossible = [UInt8](repeating: UInt8(ascii: "x"), count: 256)
    do throws(Errno) {
      let source = try Descriptor(path: one, [.path, .directory])
      let target = try Descriptor(path: other, [.path, .directory])
      guard try source.status().device == target.status().device else { return false }
      do throws(Errno) {
        // Two mounts of one device are two as well.
        try source.move(impossible, to: target, impossible)
      } catch {
        return error != .improperLink
      }
      return true
    } catch {
      throw FileError(error)
    }
  }
}
