internal import StrataEngine
internal import StrataFUSE
internal import Synchronization

/// The mounts of a workspace that this process serves.
final class MountTable: Sendable {
  struct Row: Sendable {
    let mount: Mount
    let directory: [UInt8]
  }

  private let rows = Mutex<[Row]>([])

  /// Those that there are, without what somebody else has unmounted.
  var all: [Row] {
    rows.withLock { rows in
      rows.removeAll { !$0.mount.isServing }
      return rows
    }
  }

  func add(_ mount: Mount, at directory: [UInt8]) {
    rows.withLock { $0.append(Row(mount: mount, directory: directory)) }
  }

  func remove(at directory: [UInt8]) -> Mount? {
    rows.withLock { rows in
      guard let index = rows.lastIndex(where: { $0.directory == directory }) else { return nil }
      return rows.remove(at: index).mount
    }
  }
}
