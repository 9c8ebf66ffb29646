internal import Glibc
internal import StrataEngine
internal import StrataFUSE
internal import StrataShell
internal import StrataStorage
internal import StrataSystem

/// A directory of the host that is in a mount which the owner of a workspace serves.
struct MountedPlace {
  private let mark: MountMark

  /// Nil for a directory that is in no such mount.
  init?(_ directory: [UInt8]) {
    guard let place = try? Descriptor(path: directory, [.path, .directory]),
      let value = try? place.extendedAttribute(MountMark.attribute.bytes),
      let mark = MountMark(value)
    else { return nil }
    self.mark = mark
  }

  /// What leads other processes to a workspace's directory that this one holds, also where its path
  /// is covered.
  static func way(to workspace: HeldPath) -> [UInt8] {
    Array("/proc/\(getpid())/".utf8) + workspace.path.dropFirst("/proc/self/".utf8.count)
  }

  var workspace: [UInt8] { mark.workspace }

  /// Where a session begins.
  var place: [JSON.Member] {
    [JSON.Member("fork", .bytes(mark.fork)), JSON.Member("path", .bytes(mark.path))]
  }

  /// For a person.
  var text: String { "fork \(ShownName(mark.fork)) of a workspace, mounted" }
}
