internal import StrataEngine

/// How a commit has left what it has touched, to see later whether anybody else has changed it.
struct HostAftermath {
  private static let name = Array("after".utf8)
  private static let title = Array("strata commit's aftermath 1".utf8)

  /// By path of the namespace; what is not there was not there.
  private var stamps: [[UInt8]: BaseStamp] = [:]

  init(of steps: [HostStep], base: [UInt8]) throws(FileError) {
    for step in steps {
      let path: [UInt8]
      switch step {
      case .put(_, let place), .swap(_, let place, _), .dress(let place, _, _),
        .add(_, let place, _), .link(let place, _, _):
        path = place
      case .take, .drop, .unname: continue
      }
      if let status = try HostTree().status(base + path) { stamps[path] = status.stamp }
    }
  }

  /// What is not as the commit has left it.
  func conflicts(base: [UInt8]) throws(FileError) -> [CommitConflict] {
    var conflicts: [CommitConflict] = []
    for (path, then) in stamps {
      guard let now = try HostTree().status(base + path) else {
        conflicts.append(CommitConflict(kind: .gone, path: path))
        continue
      }
      let isSame =
        now.kind == .directory ? now.identity == then.identity : now.stamp == then
      if !isSame { conflicts.append(CommitConflict(kind: .changed, path: path)) }
    }
    return conflicts
  }

  /// What it has left is as a later commit has left it.
  mutating func follow(_ later: HostAftermath) {
    for (path, stamp) in later.stamps where stamps[path] != nil { stamps[path] = stamp }
  }

  // MARK: On disk

  func write(to place: HostCommitDirectory) throws(FileError) {
    var writer = PageWriter()
    writer.bytes(Self.title)
    writer.number(UInt64(stamps.count))
    for (path, stamp) in stamps.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      writer.bytes(path)
      writer.number(stamp.identity.device)
      writer.number(stamp.identity.inode)
      writer.number(stamp.identity.generation)
      writer.signed(stamp.size)
      writer.signed(stamp.modified)
      writer.signed(stamp.changed)
    }
    let body = writer.result
    let bytes = body + withUnsafeBytes(of: Checksum.of(body).littleEndian, Array.init)
    let output = try HostTree().create(
      place.staged(Self.name), mode: 0o600, existing: .replace, durable: false)
    try output.write(bytes, at: 0)
    try output.finish()
  }

  /// - Throws: ENOENT for a commit that left none, EIO for what is damaged.
  init(in place: HostCommitDirectory, _ commit: HostCommit) throws(FileError) {
    guard let bytes = try commit.contents(Self.name, place) else { throw .notFound }
    guard bytes.count > 8 else { throw .damaged }
    let body = Array(bytes.dropLast(8))
    let checksum = bytes.suffix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard Checksum.of(body) == checksum else { throw .damaged }
    var reader = PageReader(body)
    guard try reader.bytes() == Self.title else { throw .damaged }
    for _ in 0..<(try reader.count()) {
      let path = try reader.bytes()
      let identity = BaseIdentity(
        device: try reader.number(), inode: try reader.number(), generation: try reader.number())
      stamps[path] = BaseStamp(
        identity: identity, size: try reader.signed(), modified: try reader.signed(),
        changed: try reader.signed())
    }
  }
}
