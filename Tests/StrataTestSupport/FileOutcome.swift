import Glibc
public import StrataEngine
public import SystemPackage

/// What came of a ``FileOperation``, in a form that can be compared between file systems.
public enum FileOutcome: Sendable {
  case done
  case failed(Errno)
  case status(FileStatus)
  /// The content read, or a link's target.
  case bytes([UInt8])
  case names([Name: FileKind])
  case xattrs([Name: [UInt8]])
  /// The place of an open file was empty, or the object is of a kind that is not opened here.
  case skipped
}

extension FileOutcome: Equatable {
  /// By memcmp for contents, which takes far too long byte by byte in a debug build.
  public static func == (a: FileOutcome, b: FileOutcome) -> Bool {
    switch (a, b) {
    case (.done, .done), (.skipped, .skipped): true
    case (.failed(let left), .failed(let right)): left == right
    case (.status(let left), .status(let right)): left == right
    case (.bytes(let left), .bytes(let right)): sameBytes(left, right)
    case (.names(let left), .names(let right)): left == right
    case (.xattrs(let left), .xattrs(let right)): left == right
    default: false
    }
  }
}

public func sameBytes(_ a: [UInt8], _ b: [UInt8]) -> Bool {
  guard a.count == b.count else { return false }
  return a.withUnsafeBytes { left in
    b.withUnsafeBytes { right in
      guard let left = left.baseAddress, let right = right.baseAddress else { return true }
      return memcmp(left, right, a.count) == 0
    }
  }
}

/// What of `stat` must be the same in all file systems under test.
public struct FileStatus: Equatable, Sendable {
  public var kind: FileKind
  public var mode: UInt32
  public var uid: UInt32
  public var gid: UInt32
  /// Nil where it need not agree.
  public var links: UInt32?
  /// Nil for a directory, where each file system counts its own way.
  public var size: Int64?
  public var device: UInt64
  /// Nil where the clocks are not the same.
  public var times: [Timestamp]?

  public init(
    kind: FileKind, mode: UInt32, uid: UInt32, gid: UInt32, links: UInt32?, size: Int64?,
    device: UInt64, times: [Timestamp]?
  ) {
    self.kind = kind
    self.mode = mode
    self.uid = uid
    self.gid = gid
    self.links = links
    self.size = size
    self.device = device
    self.times = times
  }

  public init(_ attributes: Attributes) {
    self.init(
      kind: attributes.kind, mode: attributes.mode, uid: attributes.uid, gid: attributes.gid,
      links: attributes.links, size: attributes.kind == .directory ? nil : attributes.size,
      device: attributes.device,
      times: [attributes.accessed, attributes.modified, attributes.changed])
  }
}

/// Something that does operations: the engine, the model, the kernel.
public protocol FileSystemUnderTest {
  mutating func perform(_ operation: FileOperation) -> FileOutcome
}

extension FileOutcome: CustomStringConvertible {
  public var description: String {
    switch self {
    case .done: "done"
    case .failed(let errno): "failed: \(errno)"
    case .status(let status): "\(status)"
    case .bytes(let bytes): "\(bytes.count) bytes, digest \(String(digest(bytes), radix: 16))"
    case .names(let names): "\(names.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" })"
    case .xattrs(let xattrs): "xattrs \(xattrs.mapValues(\.count))"
    case .skipped: "skipped"
    }
  }

  private func digest(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
  }
}
