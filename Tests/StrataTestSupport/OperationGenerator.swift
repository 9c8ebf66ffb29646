public import StrataEngine

/// Random operations over few names, so that they meet: what one makes, another renames, links,
/// opens, overwrites and removes.
///
/// It knows nothing of the file system but which of its operations succeeded: paths that were made
/// come into its pool, and paths that were not found leave it.
public struct OperationGenerator: Sendable {
  public var random: SeededGenerator
  /// Paths that may exist.
  private var pool: [[UInt8]]
  /// The path that was used last.
  private var recent: [UInt8] = []
  private let options: Options

  public struct Options: Sendable {
    /// Files do not grow beyond this by what is generated.
    public var largestFile: Int64 = 192 * 1024
    public var deepest = 6
    /// Places for open files.
    public var slots = 6
    public var renameFlags: [RenameFlags] = [[], [], [], [.noReplace], [.exchange], [.exchange]]
    public var specials: [(kind: FileKind, device: UInt64)] = [(.fifo, 0), (.socket, 0)]
    public var xattrNames: [Name] = ["user.a", "user.b", "user.c", "trusted.t"]
    /// How often a path is odd (`..`, double slashes, too long a name) in percent.
    public var oddPaths = 4
    public init() {}
  }

  public init(seed: UInt64, paths: [[UInt8]], _ options: Options = Options()) {
    random = SeededGenerator(seed: seed)
    pool = paths
    self.options = options
  }

  /// Takes the paths that there are, as the caller has found out.
  public mutating func refresh(_ paths: [[UInt8]]) { pool = paths }

  /// Keeps what the outcome says about which paths there are.
  public mutating func learn(_ operation: FileOperation, _ outcome: FileOutcome) {
    switch outcome {
    case .failed(.noSuchFileOrDirectory), .failed(.notDirectory):
      guard let path = operation.path, random.chance(20) else { return }
      pool.removeAll { $0 == path }
    case .failed: return
    default:
      for path in operation.madePaths where pool.count < 400 && path.count < 120 {
        if !pool.contains(path) { pool.append(path) }
      }
    }
  }

  public mutating func next() -> FileOperation {
    switch random.below(100) {
    case ..<30: look()
    case ..<48: name()
    case ..<56: remove()
    case ..<63: move()
    case ..<75: attribute()
    case ..<88: content()
    default: openFile()
    }
  }
}

extension OperationGenerator {
  private static let names: [[UInt8]] =
    "a b c d e f g h.txt i-long-enough-not-to-be-inline".split(separator: " ").map {
      Array($0.utf8)
    }
    + [[0xFF, 0xFE, 0x61]]

  private mutating func newName() -> [UInt8] {
    if random.below(400) == 0 { return [UInt8](repeating: 0x6E, count: 255 + random.below(2)) }
    return random.pick(Self.names)
  }

  /// A path that mostly exists.
  private mutating func somePath() -> [UInt8] {
    if random.chance(options.oddPaths) { return oddPath() }
    // Often the same again, so that changes of one thing follow one another.
    if !recent.isEmpty, random.chance(30) { return recent }
    recent = pool.isEmpty || random.chance(12) ? newPath() : random.pick(pool)
    return recent
  }

  /// A path that mostly does not exist, in a directory that mostly does.
  private mutating func newPath() -> [UInt8] {
    var path: [UInt8] = []
    if !pool.isEmpty, random.chance(85) { path = random.pick(pool) }
    // Beside what is there as often as inside it.
    if random.chance(50), let slash = path.lastIndex(of: 0x2F) { path = Array(path[..<slash]) }
    while path.count(where: { $0 == 0x2F }) >= options.deepest, let slash = path.lastIndex(of: 0x2F)
    {
      path = Array(path[..<slash])
    }
    return path + [0x2F] + newName()
  }

  private mutating func oddPath() -> [UInt8] {
    let path = pool.isEmpty ? newPath() : random.pick(pool)
    let parts: [String] = ["/", "/.", "/..", "//a", "/../a", "/./b", "/a/../b", "/a/"]
    switch random.below(12) {
    case 0: return []
    case 1: return [0x2F]
    case 2: return path + [0x2F] + [UInt8](repeating: 0x78, count: 256)
    case 3: return [0x2F, 0x2F] + path
    default: return path + Array(random.pick(parts).utf8)
    }
  }

  private mutating func mode() -> UInt32 {
    random.pick([0o644, 0o600, 0o755, 0o777, 0o400, 0o4755, 0o2755, 0o2644, 0o1777, 0])
  }

  /// Where something in a file may begin: often at the edge of a block.
  private mutating func offset() -> Int64 {
    let most = Int(options.largestFile)
    switch random.below(6) {
    case 0: return 0
    case 1: return Int64(random.below(300))
    case 2: return Int64(random.below(most / 4096) * 4096)
    case 3: return Int64(random.below(most / 4096) * 4096 + 4095 + random.below(3))
    case 4: return Int64(random.below(20000))
    default: return Int64(random.below(most))
    }
  }

  private mutating func length() -> Int {
    switch random.below(10) {
    case 0: 0
    case 1: 4096
    // Some of them large enough to be kept in one piece.
    case 2: 4096 * (1 + random.below(random.chance(20) ? 40 : 8))
    case 3, 4: 1 + random.below(20000)
    default: 1 + random.below(200)
    }
  }

  private mutating func range() -> Range<Int64> {
    let start = offset()
    return start..<min(start + Int64(length() + 1), options.largestFile + 4096)
  }

  private mutating func time() -> Timestamp { Timestamp(random.below(1_000_000_000_000_000_000)) }
  private mutating func slot() -> Int { random.below(options.slots) }
  private mutating func xattr() -> Name {
    random.chance(3)
      ? random.pick(["user.", "nonsense.x", "user"]) : random.pick(options.xattrNames)
  }
}

extension OperationGenerator {
  private mutating func look() -> FileOperation {
    switch random.below(10) {
    case 0, 1, 2: .status(somePath(), follow: random.chance(50))
    case 3, 4: .list(somePath())
    case 5, 6, 7: .read(somePath(), count: length() * 4, at: random.chance(50) ? 0 : offset())
    case 8: .readLink(somePath())
    default: .attributesList(somePath(), follow: random.chance(50))
    }
  }

  private mutating func name() -> FileOperation {
    switch random.below(20) {
    case ..<6: .create(newPath(), mode: mode(), exclusive: random.chance(40))
    case ..<11: .makeDirectory(newPath(), mode: mode() | 0o700)
    case ..<14: .makeSymlink(newPath(), target: target())
    case ..<15: special()
    default: .link(somePath(), as: newPath())
    }
  }

  private mutating func target() -> [UInt8] {
    let path = somePath()
    if random.chance(50) { return path }
    return random.chance(50) ? Array("../".utf8) + path.drop(while: { $0 == 0x2F }) : newName()
  }

  private mutating func special() -> FileOperation {
    let special = random.pick(options.specials)
    return .makeSpecial(newPath(), special.kind, device: special.device, mode: mode())
  }

  private mutating func remove() -> FileOperation {
    random.chance(60) ? .unlink(somePath()) : .removeDirectory(somePath())
  }

  private mutating func move() -> FileOperation {
    let flags = random.pick(options.renameFlags)
    let target = flags.contains(.exchange) || random.chance(40) ? somePath() : newPath()
    return .rename(somePath(), to: target, flags)
  }

  private mutating func attribute() -> FileOperation {
    switch random.below(12) {
    case 0, 1, 2: .setMode(somePath(), mode())
    case 3, 4: setOwner()
    case 5, 6: setTimes()
    case 7, 8: .removeXattr(somePath(), xattr(), follow: random.chance(50))
    default:
      .setXattr(
        somePath(), xattr(), random.bytes(random.below(40)),
        random.pick([.any, .any, .create, .replace]), follow: random.chance(50))
    }
  }

  /// One of both is set at least: a call that sets nothing may skip the path.
  private mutating func setOwner() -> FileOperation {
    let uid = owner()
    let gid = uid == nil ? UInt32(random.below(5)) : owner()
    return .setOwner(somePath(), uid: uid, gid: gid, follow: random.chance(50))
  }

  private mutating func setTimes() -> FileOperation {
    let accessed = random.chance(70) ? time() : nil
    let modified = accessed == nil || random.chance(70) ? time() : nil
    return .setTimes(
      somePath(), accessed: accessed, modified: modified, follow: random.chance(50))
  }

  private mutating func owner() -> UInt32? { random.chance(60) ? UInt32(random.below(5)) : nil }

  private mutating func content() -> FileOperation {
    switch random.below(12) {
    case 0, 1: .truncate(somePath(), random.chance(3) ? -1 : offset())
    case 2: .allocate(somePath(), range(), .punchHole)
    case 3: .allocate(somePath(), range(), random.pick([.zeroRange, .extend, .keepSize]))
    default:
      .write(somePath(), random.bytes(length()), at: random.chance(25) ? nil : offset())
    }
  }

  private mutating func openFile() -> FileOperation {
    switch random.below(12) {
    case 0, 1, 2: .open(slot(), somePath(), openOptions())
    case 3: .close(slot())
    case 4, 5: .readOpen(slot(), count: length() * 2, at: offset())
    case 6, 7, 8: .writeOpen(slot(), random.bytes(length()), at: offset())
    case 9: .truncateOpen(slot(), offset())
    case 10: .allocateOpen(slot(), range(), random.pick([.punchHole, .zeroRange, .extend]))
    default: .statusOpen(slot())
    }
  }

  private mutating func openOptions() -> OpenOptions {
    var options = random.pick(
      [[.read], [.read, .write], [.write], [.read, .write, .append]] as [OpenOptions])
    if options.contains(.write), random.chance(15) { options.insert(.truncate) }
    return options
  }
}
