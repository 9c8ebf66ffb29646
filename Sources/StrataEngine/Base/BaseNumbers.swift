internal import Synchronization

/// Which numbers the nodes of bases have.
///
/// Where the workspace keeps inodes, it is the host's inode number: the same in every process that
/// opens the workspace, so that what programs remember of files (the index of git, the state of a
/// backup) holds in a fork as well, and a listing tells it without a look at the file. Further bases
/// on other devices have ranges of their own. Whatever comes from a device that is mounted below a
/// base, or finds its number taken, is numbered as it comes.
final class BaseNumbers: Sendable {
  private static let rangeShift: UInt64 = 40
  /// What those get that find their number taken; inodes of further bases come behind.
  static let exceptions = NodeID.firstOwn...((2 << rangeShift) - 1)

  private let ids: IDSource
  private let devices: [UInt64]
  /// By base.
  private let ranges: [Range]
  private let exception = Atomic(false)

  /// The numbers of the inodes of a device.
  struct Range: Sendable {
    fileprivate let start: UInt64

    /// Nil for an inode that has no number in it.
    func number(of inode: UInt64) -> NodeID? {
      inode > NodeID.root.rawValue && inode < NodeID.firstOwn ? NodeID(start | inode) : nil
    }
  }

  init(_ ids: IDSource, _ devices: [UInt64]) {
    self.ids = ids
    self.devices = devices
    ranges = devices.map { device in
      let first = devices.firstIndex(of: device) ?? 0
      // The range behind the first one is that of nodes that no base has.
      return Range(start: first == 0 ? 0 : UInt64(first + 1) << Self.rangeShift)
    }
  }

  /// The number that an object of a base is to have; nil if any will do.
  func number(of identity: BaseIdentity, inBase base: Int) -> NodeID? {
    guard ids.keepsInodes, base < devices.count, identity.device == devices[base] else {
      return nil
    }
    return ranges[base].number(of: identity.inode)
  }

  /// The numbers of inodes that are listed on a device; nil if they must be looked at to know.
  func range(onDevice device: UInt64, ofBase base: Int) -> Range? {
    ids.keepsInodes && base < devices.count && device == devices[base] ? ranges[base] : nil
  }

  /// A new node's number.
  /// - Parameter isTaken: whether another node has the number wanted.
  func next(_ wanted: NodeID?, isTaken: (NodeID) -> Bool) -> NodeID {
    guard let wanted else { return ids.nextNode() }
    guard isTaken(wanted) else { return wanted }
    noteException()
    return ids.nextNode()
  }

  /// Whether some node has another number than its inode's.
  var hasException: Bool { exception.load(ordering: .relaxed) }

  func noteException() { exception.store(true, ordering: .relaxed) }
}
