import Glibc
public import StrataEngine
import Synchronization
import SystemPackage

extension TableBase {
  /// The inode number of the root.
  public static let root: UInt64 = 2

  /// All objects by inode number.
  public var objects: [UInt64: Object] { state.withLock { $0.objects } }

  /// The table: objects by inode number, which directories name.
  struct State: Sendable {
    var objects: [UInt64: Object] = [:]
    var nextInode: UInt64 = 3
    let device: UInt64
    /// The time of the next change; each takes one.
    var time: Timestamp = 1_000_000_000
    var counters = Counters()
    var failures: [[Name]: Errno] = [:]

    init(device: UInt64) {
      self.device = device
      objects[TableBase.root] = Object(
        status: BaseStatus(
          identity: BaseIdentity(device: device, inode: TableBase.root), kind: .directory,
          mode: 0o755,
          links: 2, accessed: time, modified: time, changed: time))
    }

    static func split(_ path: [UInt8]) -> [Name] {
      path.split(separator: UInt8(ascii: "/")).map { Name($0) }
    }

    /// The inode at a path, nil if there is none.
    func find(_ names: [Name]) throws(FileError) -> UInt64? {
      if !failures.isEmpty, let errno = failures[names] { throw FileError(errno, "made to fail") }
      var place = TableBase.root
      for name in names {
        guard let next = objects[place]?.entries[name] else { return nil }
        place = next
      }
      return place
    }

    func object(at names: [Name]) throws(FileError) -> Object? {
      try find(names).flatMap { objects[$0] }
    }
  }

  /// One object of the table.
  public struct Object: Sendable {
    public internal(set) var status: BaseStatus
    /// Of a symlink the target.
    public internal(set) var content: [UInt8] = []
    public internal(set) var xattrs: [Name: [UInt8]] = [:]
    public internal(set) var entries: [Name: UInt64] = [:]
    /// Blocks of zeros are holes.
    var isSparse = false
    /// Open files; with the last of a removed object it goes.
    var opens = 0

    /// As `SEEK_DATA` and `SEEK_HOLE` with blocks of 4096 bytes tell it.
    public func data(after offset: Int64) -> Range<Int64>? {
      let size = content.count
      guard offset < Int64(size) else { return nil }
      guard isSparse else { return max(offset, 0)..<Int64(size) }
      var start = Int(max(offset, 0))
      while start < size, isHole(start) { start = min(size, (start / Block.size + 1) * Block.size) }
      guard start < size else { return nil }
      var end = start
      while end < size, !isHole(end) { end = min(size, (end / Block.size + 1) * Block.size) }
      return Int64(start)..<Int64(end)
    }

    private func isHole(_ offset: Int) -> Bool {
      let start = offset / Block.size * Block.size
      let count = min(Block.size, content.count - start)
      return content.withUnsafeBytes { bytes in
        Self.zeros.withUnsafeBytes { zeros in
          guard let base = bytes.baseAddress, let other = zeros.baseAddress else { return false }
          return memcmp(base + start, other, count) == 0
        }
      }
    }

    private static let zeros = [UInt8](repeating: 0, count: Block.size)
  }
}
