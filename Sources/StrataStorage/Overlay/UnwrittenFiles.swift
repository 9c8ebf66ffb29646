internal import Glibc
internal import StrataEngine
internal import StrataSystem
internal import Synchronization

/// The files of a fork whose content has changed since an upper directory was written last, and what
/// room they are going to take there.
final class UnwrittenFiles: Sendable {
  /// Left for directories and for names.
  private static let spare: Int64 = 256 << 10

  private struct State {
    var files: [NodeID: Int64] = [:]
    var sum: Int64 = 0

    mutating func set(_ bytes: Int64, of node: NodeID) {
      sum += bytes - (files[node] ?? 0)
      files[node] = bytes
    }
  }

  private let directory: Descriptor
  private let fork: Fork
  private let state = Mutex(State())

  init(_ directory: Descriptor, _ fork: Fork) { (self.directory, self.fork) = (directory, fork) }

  var bytes: Int64 { state.withLock { $0.sum } }

  /// Counts a file that is going to take so many bytes.
  /// - Throws: ENOSPC where they are too many.
  func add(_ bytes: Int64, of node: NodeID) throws(FileError) {
    let bytes = max(bytes, Int64(Block.size))
    guard let free else { return }
    let fits = state.withLock { state in
      if state.sum - (state.files[node] ?? 0) + bytes > free {
        // What is gone by now takes no room.
        state.files = state.files.keys.reduce(into: [:]) { $0[$1] = taken(by: $1) }
        state.sum = state.files.values.reduce(0, +)
        guard state.sum - (state.files[node] ?? 0) + bytes <= free else { return false }
      }
      state.set(bytes, of: node)
      return true
    }
    if !fits { throw FileError(.noSpace) }
  }

  /// What is counted by now is going to be written, and counts no more.
  /// - Returns: what ``takeBack(_:)`` is to get if it could not be.
  func begin() -> [NodeID: Int64] {
    state.withLock { state in
      defer { state = State() }
      return state.files
    }
  }

  func takeBack(_ files: [NodeID: Int64]) {
    state.withLock { state in
      for (node, bytes) in files where state.files[node] == nil { state.set(bytes, of: node) }
    }
  }

  /// Nil for what is gone.
  private func taken(by node: NodeID) -> Int64? {
    guard let attributes = try? fork.attributes(of: node), attributes.links > 0 else { return nil }
    return max(attributes.blocks * 512, Int64(Block.size))
  }

  private var free: Int64? {
    var disk = statvfs()
    guard fstatvfs(directory.rawValue, &disk) == 0 else { return nil }
    let blocks = geteuid() == 0 ? disk.f_bfree : disk.f_bavail
    return Int64(clamping: UInt64(blocks) * UInt64(disk.f_frsize)) - Self.spare
  }
}
