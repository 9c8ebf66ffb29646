/// What a node of the model is.
public enum ModelKind: UInt8, Sendable {
  case regular, directory, symlink, characterDevice, blockDevice, fifo, socket
}

/// A file, directory or anything else, all of it held plainly.
public struct ModelNode: Sendable {
  public var kind: ModelKind
  public var mode: UInt32
  public var uid: UInt32 = 0
  public var gid: UInt32 = 0
  /// Names of a file that is no directory, those that a base has outside the tree included.
  public var links = 1
  public var device: UInt64 = 0
  public var accessed: Int64 = 0
  public var modified: Int64 = 0
  public var changed: Int64 = 0
  public var content: [UInt8] = []
  public var target: [UInt8] = []
  public var xattrs: [[UInt8]: [UInt8]] = [:]
  public var entries: [[UInt8]: Int] = [:]
  /// Of a directory; its own number for the root, 0 once it is removed.
  public var parent = 0
  /// Changes with each write to the content, also one that leaves the bytes as they are.
  public var contentVersion = 0

  public init(kind: ModelKind, mode: UInt32) {
    self.kind = kind
    self.mode = mode
  }

  /// `st_size`; of a directory nothing is said.
  public var size: Int { kind == .symlink ? target.count : content.count }
}
