/// What a transcript's directives ask for.
public struct ReplaySetting: Equatable, Sendable {
  /// Topmost first; none is an empty tree.
  public var bases: [ReplayBase] = []
  /// Files relative to the transcript's directory.
  public var plugins: [[UInt8]] = []
  public var environment: [(name: [UInt8], value: [UInt8])] = []
  /// Seconds that one command may take.
  public var timeout = 30
  public var trace = ReplayTrace.firstWrites

  public init() {}

  public static func == (a: ReplaySetting, b: ReplaySetting) -> Bool {
    a.bases == b.bases && a.plugins == b.plugins && a.timeout == b.timeout && a.trace == b.trace
      && a.environment.elementsEqual(b.environment) { $0.name == $1.name && $0.value == $1.value }
  }
}

/// A base of a transcript.
public enum ReplayBase: Equatable, Sendable {
  /// A directory relative to the transcript's.
  case directory([UInt8])
  /// A tree that the transcript spells out.
  case inline([ReplayFile])
}

/// An object of an inline base. Missing directories on the way are made.
public struct ReplayFile: Equatable, Sendable {
  public enum Content: Equatable, Sendable {
    case directory
    case bytes([UInt8])
    /// So many bytes of the fixed pattern that ``ReplayFile/fill(_:)`` makes.
    case size(Int)
    case symlink([UInt8])
    /// Another name of a file made before.
    case hardLink([UInt8])
  }

  /// Relative to the base, without a slash at either end.
  public var path: [UInt8]
  public var content: Content
  /// Permission bits; nil is 0644, for a directory 0755.
  public var mode: UInt32?

  /// The content of a file of which only the size is given: lines of 64 bytes that tell their
  /// number, so that every block differs from the others.
  public static func fill(_ size: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size + 64)
    var number = 0
    while bytes.count < size {
      var digits = Array(String(number).utf8)
      digits.append(contentsOf: repeatElement(UInt8(ascii: "."), count: max(0, 63 - digits.count)))
      bytes.append(contentsOf: digits)
      bytes.append(UInt8(ascii: "\n"))
      number += 1
    }
    bytes.removeLast(bytes.count - size)
    return bytes
  }
}

/// Which events a transcript shows.
public enum ReplayTrace: Equatable, Sendable {
  case off
  /// Copy-ups, redirects, whiteouts and opaque directories.
  case firstWrites
  /// The events with these names.
  case events([String])
}
