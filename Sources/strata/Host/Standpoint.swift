internal import StrataEngine

/// What a process sees the machine from: where relative paths begin, its environment, its mask.
struct Standpoint: Sendable {
  /// An absolute path.
  let directory: [UInt8]
  /// `NAME=value`, each.
  let environment: [[UInt8]]
  let umask: UInt32
  /// Descriptors of ours that are its standard input, output and error; none if it gave none.
  let streams: [Int32]
  /// It is in a run: at the same path it sees other files than we.
  let isInside: Bool
  private let values: [[UInt8]: [UInt8]]

  init(
    directory: [UInt8], environment: [[UInt8]], umask: UInt32, streams: [Int32] = [],
    isInside: Bool = false
  ) {
    self.directory = directory
    self.environment = environment
    self.umask = umask & 0o777
    self.streams = streams
    self.isInside = isInside
    let pairs = environment.compactMap { entry -> ([UInt8], [UInt8])? in
      guard let sign = entry.firstIndex(of: UInt8(ascii: "=")) else { return nil }
      return (Array(entry[..<sign]), Array(entry[(sign + 1)...]))
    }
    values = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
  }

  func value(of name: [UInt8]) -> [UInt8]? { values[name] }

  /// A path of the process's as another one reaches the same.
  func placed(_ path: [UInt8]) -> [UInt8] {
    guard let first = path.first else { return path }
    guard first == UInt8(ascii: "/") else { return directory + [UInt8(ascii: "/")] + path }
    return stream(path) ?? path
  }

  /// - Throws: EPERM for a path that leads the process elsewhere than us.
  func reachable(_ path: [UInt8]) throws(FileError) -> [UInt8] {
    if isInside, stream(path) == nil { throw Self.isElsewhere }
    return placed(path)
  }

  static let isElsewhere = FileError(
    .notPermitted,
    saying: "the owner of the workspace does not see the host's files as this run does")

  /// The stream that a path leads to.
  private func stream(_ path: [UInt8]) -> [UInt8]? {
    guard let stream = Self.names.firstIndex(of: String(decoding: path, as: UTF8.self)),
      stream % 3 < streams.count
    else { return nil }
    return Array("/proc/self/fd/\(streams[stream % 3])".utf8)
  }

  /// What leads to the streams of the process that opens it.
  private static let names = [
    "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/fd/0", "/dev/fd/1", "/dev/fd/2",
    "/proc/self/fd/0", "/proc/self/fd/1", "/proc/self/fd/2",
  ]
}
