public import StrataEngine

/// The random operations of the durability tests: the same again and again for a seed, so that what a
/// killed process had done can be done over in memory and compared.
///
/// Each step is one operation of the log and notes its number with the tree itself.
public final class CrashRun {
  public let workspace: Workspace
  private let seed: UInt64
  private static let plugin = "crash"

  public init(_ workspace: Workspace, seed: UInt64) {
    (self.workspace, self.seed) = (workspace, seed)
    workspace.hooks.policy = policy
  }

  /// Has the store take the largest file of the base whole, as it would not by the default.
  private final class WholeLarge: Policy {
    let interest = EventSet([.copyUp, .redirect])
    func decide(_ event: Event, on fork: Fork) throws(FileError) -> Verdict {
      (event.size ?? 0) > 128 << 10 ? Verdict(firstWrite: .copyUp) : .proceed
    }
  }
  private let policy = WholeLarge()

  /// The clock of a run: the number of the step under way.
  public final class Clock: @unchecked Sendable {
    public var now: Timestamp = 2_000_000_000_000_000_000
    public init() {}
  }

  /// The steps that `main` has behind it.
  public var steps: UInt64 {
    let bytes = workspace.main.annotation(plugin: Self.plugin, key: "step") ?? []
    return UInt64(String(decoding: bytes, as: UTF8.self)) ?? 0
  }

  /// The base of all runs.
  public static var base: TableBase {
    var items: [(String, TableBase.Item)] = []
    for (index, name) in ["a", "b", "c/d", "c/e/f", "g/h.txt"].enumerated() {
      let bytes = [UInt8](
        repeating: UInt8(index + 1), count: [3, 5000, 70_000, 12, 200_000][index])
      items.append((name, .file(bytes)))
    }
    return TableBase("crash", device: 1, items)
  }

  /// Does the next step, and makes it durable.
  public func step(_ clock: Clock) throws {
    let number = steps + 1
    clock.now = 2_000_000_000_000_000_000 + Timestamp(number) * 1000
    var generator = OperationGenerator(
      seed: seed &+ number &* 0x9E37_79B9, paths: try paths(workspace.main))
    let main = workspace.main
    switch generator.random.below(20) {
    case 0:
      try fork("f\(number)", note: number)
    case 1 where workspace.forks.count > 3:
      if let fork = workspace.forks.last, fork !== main { try workspace.drop(fork) }
      note(number)
    default:
      workspace.operation("step \(number)", on: main) {
        var client = ClientUnderTest(main)
        for _ in 0..<(1 + generator.random.below(8)) {
          let operation = generator.next()
          generator.learn(operation, client.perform(operation))
        }
        client.open = [:]
        setNote(number)
      }
    }
    try workspace.checkpoint()
  }

  /// A fork, with a write in it, and the step noted.
  private func fork(_ name: String, note number: UInt64) throws {
    let fork = try workspace.fork(workspace.main, named: name)
    try workspace.operation("write in \(name)", on: fork) { () throws(FileError) in
      _ = try Client(fork, as: .superuser).open(
        Array("/in-\(name)".utf8), [.write], create: 0o644
      ).write(Array("fork \(number)".utf8), at: 0)
    }
    note(number)
  }

  private func note(_ number: UInt64) {
    workspace.operation("step \(number)", on: workspace.main) { setNote(number) }
  }

  private func setNote(_ number: UInt64) {
    workspace.main.setAnnotation(
      plugin: Self.plugin, key: "step", Array(String(number).utf8))
  }

  private func paths(_ fork: Fork) throws -> [[UInt8]] {
    try TreeDump(fork).rows.keys.sorted { $0.lexicographicallyPrecedes($1) }.filter {
      $0.count < 120
    }
  }
}

/// All that there is to see in a fork, by path.
public struct TreeDump: Equatable, Sendable {
  public struct Row: Equatable, Sendable {
    var kind: FileKind
    var mode: UInt32
    var uid: UInt32
    var gid: UInt32
    var links: UInt32
    var size: Int64
    var modified: Timestamp
    var changed: Timestamp
    var content: [UInt8]
    var xattrs: [Name: [UInt8]]

    /// The same but for times.
    public func isSameFile(as other: Row?) -> Bool {
      guard let other else { return false }
      return kind == other.kind && mode == other.mode && uid == other.uid && gid == other.gid
        && links == other.links && size == other.size && content == other.content
        && xattrs == other.xattrs
    }
  }

  public private(set) var rows: [[UInt8]: Row] = [:]

  /// - Throws: an error that names the path.
  public init(_ fork: Fork) throws {
    var waiting: [[UInt8]] = [[]]
    while let path = waiting.popLast() {
      do {
        try add(path, Client(fork, as: .superuser), &waiting)
      } catch {
        throw DumpFailure(description: "\(String(decoding: path, as: UTF8.self)): \(error)")
      }
    }
  }

  private struct DumpFailure: Error, CustomStringConvertible { let description: String }

  private mutating func add(
    _ path: [UInt8], _ client: Client, _ waiting: inout [[UInt8]]
  ) throws {
    let place = path.isEmpty ? [UInt8(ascii: "/")] : path
    let row = try client.attributes(place, follow: false)
    var content: [UInt8] = []
    switch row.kind {
    case .regular: content = try client.open(place, [.read]).read(Int(row.size), at: 0)
    case .symlink: content = try client.readLink(place)
    case .directory:
      for entry in try client.list(place) where !entry.name.isDot && !entry.name.isDotDot {
        waiting.append(path + [UInt8(ascii: "/")] + entry.name.bytes)
      }
    default: break
    }
    rows[path] = Row(
      kind: row.kind, mode: row.mode, uid: row.uid, gid: row.gid, links: row.links,
      size: row.kind == .directory ? 0 : row.size, modified: row.modified, changed: row.changed,
      content: content, xattrs: try client.extendedAttributes(place, follow: false))
  }

  /// Without what nobody can set on a host: the times of change, and those of directories and links.
  public var asOnHost: TreeDump {
    var copy = self
    for path in rows.keys {
      copy.rows[path]?.changed = 0
      if rows[path]?.kind == .symlink || rows[path]?.kind == .directory {
        copy.rows[path]?.modified = 0
      }
    }
    return copy
  }

  /// The same for the same trees, in any process.
  public var digest: UInt64 {
    var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    for (path, row) in rows.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
      var row = row
      let xattrs = row.xattrs.sorted { $0.key < $1.key }.map { "\($0.key.bytes)=\($0.value)" }
      row.xattrs = [:]
      for byte in path + Array("\(row)\(xattrs)".utf8) {
        digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3
      }
    }
    return digest
  }

  /// The first difference, for a person.
  public func difference(from other: TreeDump) -> String? {
    for path in Set(rows.keys).union(other.rows.keys).sorted(by: {
      $0.lexicographicallyPrecedes($1)
    })
    where rows[path] != other.rows[path] {
      func text(_ row: Row?) -> String {
        guard var row else { return "nothing" }
        let digest = row.content.reduce(into: UInt64(7)) { $0 = $0 &* 31 &+ UInt64($1) }
        row.content = []
        return "\(row), digest \(digest)"
      }
      return
        "\(String(decoding: path, as: UTF8.self)): \(text(rows[path])) for \(text(other.rows[path]))"
    }
    return nil
  }
}
