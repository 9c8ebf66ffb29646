internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataSystem
internal import SystemPackage

/// The start of a program: which of its streams are pipes, and what it inherits.
struct Spawn {
  /// Ends that are the program's, and ours; ours are -1 once somebody else keeps them.
  private(set) var theirs: [(stream: Int32, end: Int32)] = []
  private var ours: [Int32] = []
  /// What the program gets open besides; not ours to close.
  private(set) var lent: [(stream: Int32, end: Int32)] = []
  /// Streams that the program has not.
  private(set) var closed: [Int32] = []

  /// - Returns: our end if the stream is a pipe.
  mutating func connect(_ stream: Int32, _ kind: HostCommand.Stream) throws(FileError) -> Int32? {
    switch kind {
    case .inherited: return nil
    case .none:
      closed.append(stream)
      return nil
    case .piped:
      var ends: [Int32] = [0, 0]
      guard pipe(&ends) == 0 else { throw FileError.last }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      let (own, other) = stream == 0 ? (ends[1], ends[0]) : (ends[0], ends[1])
      ours.append(own)
      theirs.append((stream, other))
      return own
    }
  }

  /// The pipes belong to somebody else now.
  mutating func keepOwnEnds() { ours = [] }

  mutating func close() {
    for end in ours + theirs.map(\.end) { _ = Glibc.close(end) }
    (ours, theirs) = ([], [])
  }

  /// Streams as they are to be, for a program that somebody else has described.
  mutating func use(_ end: Int32, as stream: Int32) { theirs.append((stream, end)) }
  mutating func close(_ stream: Int32) { closed.append(stream) }

  /// Gives it a descriptor that stays ours as well.
  mutating func lend(_ end: Int32, as stream: Int32) { lent.append((stream, end)) }

  mutating func lend(_ descriptors: [Int32]) {
    for (index, descriptor) in descriptors.enumerated() {
      lend(descriptor, as: HostCommand.firstDescriptor + Int32(index))
    }
  }

  /// What it has for itself: nothing, a process group, or a session, out of a terminal's reach.
  enum Apart {
    case no, group, session

    fileprivate var flag: Int32 {
      switch self {
      case .no: 0
      case .group: POSIX_SPAWN_SETPGROUP
      // POSIX_SPAWN_SETSID, which the library shows to some standards only.
      case .session: 0x80
      }
    }
  }

  /// - Parameters:
  ///   - file: what is run; the first word if nil.
  ///   - variables: over those of the environment.
  ///   - standpoint: whose environment and directory it gets; nil for our own.
  func start(
    _ words: [[UInt8]], _ variables: [String: [UInt8]], apart: Apart = .no,
    as file: String? = nil, from standpoint: Standpoint? = nil
  ) throws(FileError) -> pid_t {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (stream, end) in theirs { posix_spawn_file_actions_adddup2(&actions, end, stream) }
    // A number that is to be another's in the program must not be taken from it meanwhile.
    var moved: [Descriptor] = []
    for (stream, end) in lent {
      let beyond = HostCommand.firstDescriptor + HostCommand.mostDescriptors
      let copy = fcntl(end, F_DUPFD_CLOEXEC, beyond)
      guard copy >= 0 else { throw FileError.last }
      moved.append(Descriptor(owning: copy))
      posix_spawn_file_actions_adddup2(&actions, copy, stream)
    }
    defer { moved = [] }
    for stream in closed {
      posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0)
    }
    if let standpoint {
      do throws(Errno) {
        try beginIn(standpoint.directory, &actions)
      } catch {
        throw FileError(error)
      }
    }
    // What we ignore or block, it must not.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    sigemptyset(&signals)
    posix_spawnattr_setsigmask(&attributes, &signals)
    sigaddset(&signals, SIGPIPE)
    // But what we were told to ignore is ignored by what stands in our place.
    if apart != .no || standpoint != nil {
      for number in [SIGINT, SIGQUIT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
    }
    posix_spawnattr_setsigdefault(&attributes, &signals)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | apart.flag))

    guard let first = words.first else { throw .invalid }
    let program = try cPath(file.map { Array($0.utf8) } ?? first)
    let arguments = try CStrings(words)
    let environment = try CStrings(
      Self.environment(standpoint?.environment ?? Self.ownEnvironment, variables))
    var pid: pid_t = 0
    let error = posix_spawn(
      &pid, program, &actions, &attributes, arguments.pointers, environment.pointers)
    guard error == 0 else { throw FileError(Errno(rawValue: error)) }
    return pid
  }

  private static func environment(
    _ environment: [[UInt8]], _ variables: [String: [UInt8]]
  ) -> [[UInt8]] {
    let kept = environment.filter { entry in
      variables[String(decoding: entry.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)] == nil
    }
    return kept + variables.map { Array("\($0.key)=".utf8) + $0.value }
  }

  /// `NAME=value`, each.
  static var ownEnvironment: [[UInt8]] {
    var result: [[UInt8]] = []
    var next = environ
    while let entry = next.pointee {
      result.append(Array(UnsafeRawBufferPointer(start: entry, count: strlen(entry))))
      next += 1
    }
    return result
  }
}

/// A NULL-terminated array of C strings, as `argv` is.
final class CStrings {
  let pointers: [UnsafeMutablePointer<CChar>?]

  /// - Throws: EINVAL for a NUL inside.
  init(_ strings: [[UInt8]]) throws(FileError) {
    guard !strings.contains(where: { $0.contains(0) }) else {
      throw FileError(.invalidArgument, "a NUL in an argument or variable")
    }
    pointers = strings.map { string in strdup(string.map { CChar(bitPattern: $0) } + [0]) } + [nil]
  }

  deinit { for pointer in pointers { free(pointer) } }
}
