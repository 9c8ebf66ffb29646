public import StrataEngine

/// A shell script that does what a commit does, for somebody who wants to read it first, or to run it
/// elsewhere. It needs sh, base64 and coreutils, and setfattr where there are extended attributes.
///
/// It makes the moves of a commit one by one, with a directory in the base for what is staged. What
/// it replaces is gone in the end.
public struct HostScript {
  private let plan: CommitPlan
  private let base: HeldPath
  private let moves: HostMoves
  private let dressing: HostDressing
  private let out: ([UInt8]) throws -> Void
  private var value: Namespace { plan.value }
  /// A staged name of each node that was made.
  private var made: [NodeID: [UInt8]] = [:]
  /// What was made, by staged name.
  private var kinds: [[UInt8]: FileKind] = [:]

  /// - Parameters:
  ///   - base: the host directory, absolute.
  ///   - keepsOwners: whether files get the owners that the fork shows.
  ///   - out: takes the text piece by piece.
  public init(
    _ plan: CommitPlan, base: HeldPath, keepsOwners: Bool = true,
    _ out: @escaping ([UInt8]) throws -> Void
  ) throws(FileError) {
    (self.plan, self.base, self.out) = (plan, base, out)
    moves = try HostMoves(plan, base: base.path)
    dressing = HostDressing(moves, base: base.path, keepsOwners: keepsOwners)
  }

  public mutating func write() throws {
    try line("#!/bin/sh")
    try line("# What a strata fork has changed: \(plan.shown.count) paths.")
    try line("set -eu")
    try command("cd --", quoted(base.shown))
    try line("umask 077")
    try line("staged=$(mktemp -d ./.strata-script.XXXXXX)")
    for move in moves.moves { try write(move) }
    try command("rm -rf --", Array("\"$staged\"".utf8))
    // It was in the top, which has other times now.
    try times(try dressing.attributes(.root), quoted(local([])))
  }

  private mutating func write(_ move: CommitMove) throws {
    switch move {
    case .make(let node, let name): try make(node, name)
    case .link(let path, let name): try command("ln -PT --", quoted(local(path)), staged(name))
    case .add(let name, let path): try command("ln -PT --", staged(name), quoted(local(path)))
    case .drop(let name): try command("rm -f --", staged(name))
    case .unname(let path): try command("rm -f --", quoted(local(path)))
    case .take(let path, let name): try command("mv -T --", quoted(local(path)), staged(name))
    case .put(let name, let path):
      guard kinds[name] != .socket else { return }
      try command("mv -T --", staged(name), quoted(local(path)))
    case .swap(let name, let path): try swap(name, quoted(local(path)))
    case .dress(let path, let node): try dress(path, node)
    }
  }

  /// A file comes into the place of what is there, in one moment unless that is a directory.
  private func swap(_ name: [UInt8], _ path: [UInt8]) throws {
    let away: [any ScriptWord] = ["mv -T --", path, staged(name + Array("-old".utf8))]
    switch kinds[name] {
    case .socket: return try put(away)
    // mv refuses to move a link over what it leads to.
    case .symlink: try put(away)
    default: try put(["if [ -d", path, "] && [ ! -L", path, "]; then"] + away + ["; fi"])
    }
    try command("mv -fT --", staged(name), path)
  }

  private mutating func make(_ node: NodeID, _ name: [UInt8]) throws {
    let target = staged(name)
    let row = try value.attributes(of: node)
    kinds[name] = row.kind
    guard row.kind != .socket else {
      // No program makes one that is everywhere.
      let path = try value.allPaths(of: node).first ?? []
      return try command("# a socket cannot be made from a script:", quoted(local(path)))
    }
    if let twin = made.updateValue(name, forKey: node) {
      return try command("ln -PT --", staged(twin), target)
    }
    switch row.kind {
    case .directory: try command("mkdir --", target)
    case .symlink: try command("ln -sT --", quoted(try value.linkTarget(of: node)), target)
    case .regular: try content(node, row.size, target)
    case .fifo: try command("mkfifo --", target)
    default:
      let (device, letter) = (row.device, row.kind == .blockDevice ? "b" : "c")
      let major = (device >> 8) & 0xFFF | (device >> 32) & ~0xFFF
      let minor = device & 0xFF | (device >> 12) & ~0xFF
      try put("mknod --", target, Array("\(letter) \(major) \(minor)".utf8))
    }
    try attributes(try dressing.attributes(node), without: [], target)
  }

  private func dress(_ path: [UInt8], _ node: NodeID) throws {
    // Nothing but a socket that could not be made leaves its path to nobody.
    guard try value.attributes(of: node).kind != .socket || plan.live.isKnown(node) else { return }
    let (wanted, former) = (
      try dressing.attributes(node), try dressing.former(path, node)
    )
    let gone = former.extendedAttributes.keys.filter { wanted.extendedAttributes[$0] == nil }
    try attributes(wanted, without: gone.sorted(), quoted(local(path)))
  }

  // MARK: Content and attributes

  private func content(_ node: NodeID, _ size: Int64, _ target: [UInt8]) throws {
    let reader = value.reader(of: node)
    try command(": >", target)
    try command("truncate -s \(size) --", target)
    var offset: Int64 = 0
    while offset < size, let data = try reader.data(after: offset) {
      offset = max(offset, data.lowerBound) / 4096 * 4096
      while offset < min(data.upperBound, size) {
        var bytes = [UInt8](repeating: 0, count: Int(min(size - offset, 1 << 16)))
        try bytes.withUnsafeMutableBytes { buffer -> Result<Void, FileError> in
          do throws(FileError) {
            _ = try reader.read(into: buffer, at: offset)
            return .success(())
          } catch {
            return .failure(error)
          }
        }.get()
        try put(
          "base64 -d <<'END' | dd conv=notrunc status=none bs=4096 oflag=seek_bytes",
          Array("seek=\(offset)".utf8), Array("of=".utf8) + target)
        try out(Base64.lines(bytes))
        try line("END")
        offset += Int64(bytes.count)
      }
    }
  }

  private func attributes(
    _ row: HostAttributes, without gone: [Name], _ path: [UInt8]
  ) throws {
    if let uid = row.uid, let gid = row.gid { try command("chown -h \(uid):\(gid) --", path) }
    if let mode = row.mode {
      // With fewer digits, a directory keeps its set-user-ID and set-group-ID.
      let digits = String(mode, radix: 8)
      let zeros = String(repeating: "0", count: max(0, 5 - digits.count))
      try command("chmod \(zeros)\(digits) --", path)
    }
    for name in gone {
      try put("setfattr -h -x", quoted(name.bytes), "--", path)
    }
    for (name, data) in row.extendedAttributes.sorted(by: { $0.key < $1.key }) {
      // Base64 of nothing is not taken for a value.
      let value = data.isEmpty ? Array("'\"\"'".utf8) : Array("0s".utf8) + Base64.line(data)
      try put("setfattr -h -n", quoted(name.bytes), "-v", value, "--", path)
    }
    try times(row, path)
  }

  private func times(_ row: HostAttributes, _ path: [UInt8]) throws {
    for (option, time) in [("-a", row.accessed), ("-m", row.modified)] {
      guard let time else { continue }
      let nanoseconds = (time % 1_000_000_000 + 1_000_000_000) % 1_000_000_000
      let (seconds, digits) = ((time - nanoseconds) / 1_000_000_000, "\(nanoseconds)")
      let zeros = String(repeating: "0", count: 9 - digits.count)
      try command("touch -h \(option) -d @\(seconds).\(zeros)\(digits) --", path)
    }
  }

  // MARK: Words

  private func local(_ path: [UInt8]) -> [UInt8] { [UInt8(ascii: ".")] + path }

  private func staged(_ name: [UInt8]) -> [UInt8] { Array("\"$staged\"/".utf8) + name }

  /// In single quotes, whatever it is.
  private func quoted(_ word: [UInt8]) -> [UInt8] {
    var result: [UInt8] = [0x27]
    for byte in word {
      if byte == 0x27 { result += Array("'\\''".utf8) } else { result.append(byte) }
    }
    return result + [0x27]
  }

  private func line(_ text: String) throws { try out(Array("\(text)\n".utf8)) }

  private func command(_ text: String, _ words: [UInt8]...) throws {
    try out(Array(([Array(text.utf8)] + words).joined(separator: [0x20])) + [0x0A])
  }

  /// Words that are text, and words that are paths.
  private func put(_ words: any ScriptWord...) throws { try put(words) }

  private func put(_ words: [any ScriptWord]) throws {
    try out(Array(words.map(\.bytes).joined(separator: [0x20])) + [0x0A])
  }
}

private protocol ScriptWord { var bytes: [UInt8] { get } }
extension String: ScriptWord { fileprivate var bytes: [UInt8] { Array(utf8) } }
extension [UInt8]: ScriptWord { fileprivate var bytes: [UInt8] { self } }
