internal import StrataEngine
internal import StrataShell

/// A shell script that does what a commit does, for somebody who wants to read it first, or to run it
/// elsewhere. It needs sh, base64 and coreutils, and setfattr where there are extended attributes.
struct CommitScript {
  private let plan: CommitPlan
  private let base: [UInt8]
  private var value: Namespace { plan.value }

  init(_ plan: CommitPlan, base: [UInt8]) { (self.plan, self.base) = (plan, base) }

  func write(_ out: ([UInt8]) throws -> Void) throws {
    func line(_ text: String) throws { try out(Array("\(text)\n".utf8)) }
    func put(_ words: [[UInt8]]) throws {
      try out(Array(words.joined(separator: [0x20])) + [0x0A])
    }
    func command(_ text: String, _ paths: [UInt8]...) throws {
      try put([Array(text.utf8)] + paths.map(quoted))
    }
    try line("#!/bin/sh")
    try line("# \(counted(plan.changes.count, "change")) of a strata fork.")
    try line("set -eu")
    try command("cd --", base)
    try line("umask 077")
    try line("moved=$(mktemp -d ./.strata-script.XXXXXX)")
    var moves: [(name: String, change: Change)] = []
    for change in plan.changes.sorted(by: {
      ($1.oldPath ?? $1.path).lexicographicallyPrecedes($0.oldPath ?? $0.path)
    }) {
      switch change.kind {
      case .renamed:
        let name = "\(moves.count + 1)"
        moves.append((name, change))
        try put([
          Array("mv -T --".utf8), quoted(local(change.oldPath ?? [])),
          Array("\"$moved\"/\(name)".utf8),
        ])
      case .removed, .typeChanged: try command("rm -rf --", local(change.path))
      default: break
      }
    }
    var made: [NodeID: [UInt8]] = [:]
    for change in plan.changes.sorted(by: { $0.path.lexicographicallyPrecedes($1.path) }) {
      let path = local(change.path)
      switch change.kind {
      case .removed: continue
      case .renamed:
        if let move = moves.first(where: { $0.change.path == change.path }) {
          try put([Array("mv -T -- \"$moved\"/\(move.name)".utf8), quoted(path)])
        }
        if change.isContentChanged { try content(change.node, path, out) }
      case .metadata: break
      case .added, .typeChanged, .modified:
        if let twin = made[change.node], change.fileKind != .directory {
          try command("ln -f --", twin, path)
          continue
        }
        made[change.node] = path
        try object(change, path, out)
      }
      try attributes(change.node, path, out)
    }
    try line("rmdir -- \"$moved\"")
    // What was put into a directory has changed its times.
    for change in plan.changes.sorted(by: { $1.path.lexicographicallyPrecedes($0.path) })
    where change.kind != .removed && change.fileKind == .directory {
      try times(change.node, local(change.path), out)
    }
  }

  private func local(_ path: [UInt8]) -> [UInt8] { [UInt8(ascii: ".")] + path }

  /// In single quotes, whatever it is.
  private func quoted(_ word: [UInt8]) -> [UInt8] {
    var result: [UInt8] = [0x27]
    for byte in word {
      if byte == 0x27 { result += Array("'\\''".utf8) } else { result.append(byte) }
    }
    return result + [0x27]
  }

  private func object(
    _ change: Change, _ path: [UInt8], _ out: ([UInt8]) throws -> Void
  ) throws {
    func command(_ text: String, _ paths: [UInt8]...) throws {
      try out(Array(([Array(text.utf8)] + paths.map(quoted)).joined(separator: [0x20])) + [0x0A])
    }
    switch change.fileKind {
    case .directory: try command("mkdir -p --", path)
    case .symlink: try command("ln -sfT --", try value.linkTarget(of: change.node), path)
    case .regular: try content(change.node, path, out)
    case .fifo: try command("mkfifo --", path)
    case .socket: try command("# a socket cannot be made from a script:", path)
    case .characterDevice, .blockDevice:
      let device = try value.attributes(of: change.node).device
      let (major, minor) = (
        (device >> 8) & 0xFFF | (device >> 32) & ~0xFFF, device & 0xFF | (device >> 12) & ~0xFF
      )
      let letter = change.fileKind == .blockDevice ? "b" : "c"
      try out(Array("mknod -- ".utf8) + quoted(path) + Array(" \(letter) \(major) \(minor)\n".utf8))
    }
  }

  private func content(
    _ node: NodeID, _ path: [UInt8], _ out: ([UInt8]) throws -> Void
  ) throws {
    let reader = value.reader(of: node)
    let size = try value.attributes(of: node).size
    let temporary = quoted(path + Array(".strata-new".utf8))
    try out(Array(": >".utf8) + temporary + [0x0A])
    try out(Array("truncate -s \(size) -- ".utf8) + temporary + [0x0A])
    var offset: Int64 = 0
    while offset < size, let data = try reader.data(after: offset) {
      offset = max(offset, data.lowerBound) / 4096 * 4096
      while offset < min(data.upperBound, size) {
        let count = Int(min(size - offset, 1 << 16))
        var bytes = [UInt8](repeating: 0, count: count)
        var failure: FileError?
        bytes.withUnsafeMutableBytes { buffer in
          do throws(FileError) { _ = try reader.read(into: buffer, at: offset) } catch {
            failure = error
          }
        }
        if let failure { throw failure }
        try out(
          Array(
            "base64 -d <<'END' | dd conv=notrunc status=none bs=4096 oflag=seek_bytes seek=\(offset) of="
              .utf8)
            + temporary + [0x0A])
        try out(Base64.lines(bytes))
        try out(Array("END\n".utf8))
        offset += Int64(count)
      }
    }
    try out(Array("mv -fT -- ".utf8) + temporary + [0x20] + quoted(path) + [0x0A])
  }

  private func attributes(
    _ node: NodeID, _ path: [UInt8], _ out: ([UInt8]) throws -> Void
  ) throws {
    let row = try value.attributes(of: node)
    try out(Array("chown -h \(row.uid):\(row.gid) -- ".utf8) + quoted(path) + [0x0A])
    if row.kind != .symlink {
      try out(Array("chmod \(String(row.mode, radix: 8)) -- ".utf8) + quoted(path) + [0x0A])
    }
    for (name, data) in try value.allExtendedAttributes(of: node).sorted(by: { $0.key < $1.key }) {
      let text = Array("0s".utf8) + Base64.line(data)
      try out(
        Array("setfattr -h -n ".utf8) + quoted(name.bytes) + Array(" -v ".utf8) + text
          + Array(" -- ".utf8) + quoted(path) + [0x0A])
    }
    try times(node, path, out)
  }

  private func times(
    _ node: NodeID, _ path: [UInt8], _ out: ([UInt8]) throws -> Void
  ) throws {
    let row = try value.attributes(of: node)
    func text(_ time: Timestamp) -> String {
      let (seconds, rest) = (time.dividedFloor(1_000_000_000), time.moduloFloor(1_000_000_000))
      return "@\(seconds).\(String(repeating: "0", count: 9 - "\(rest)".count))\(rest)"
    }
    for (option, time) in [("-a", row.accessed), ("-m", row.modified)] {
      try out(Array("touch -h \(option) -d \(text(time)) -- ".utf8) + quoted(path) + [0x0A])
    }
  }
}

extension Int64 {
  fileprivate func dividedFloor(_ by: Int64) -> Int64 { (self - moduloFloor(by)) / by }
  fileprivate func moduloFloor(_ by: Int64) -> Int64 { (self % by + by) % by }
}

/// Bytes as text for `base64 -d` (RFC 4648).
enum Base64 {
  private static let letters = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func line(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let part = bytes[start..<min(start + 3, bytes.count)]
      let word = part.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - part.count))
      for index in 0..<4 {
        let letter = letters[Int(word >> (18 - 6 * UInt32(index))) & 63]
        text.append(index <= part.count ? letter : UInt8(ascii: "="))
      }
    }
    return text
  }

  static func lines(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 57) {
      result += line(Array(bytes[start..<min(start + 57, bytes.count)])) + [0x0A]
    }
    return result
  }
}
