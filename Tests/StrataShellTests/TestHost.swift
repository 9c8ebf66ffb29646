import StrataEngine
import StrataShell
import Synchronization
import SystemPackage

/// A host in memory: a clock that stands still, two users, a table of files, and a few programs.
final class TestHost: Host {
  struct Node {
    var attributes: Attributes
    var content: [UInt8] = []
  }

  let files = Mutex<[[UInt8]: Node]>([:])
  let variables: [String: [UInt8]]
  /// Files that fail to be finished, as on a full disk.
  let fullDisk = Mutex(false)

  init(_ texts: [String: String] = [:], environment: [String: String] = [:]) {
    variables = environment.mapValues { Array($0.utf8) }
    files.withLock { files in
      for (path, text) in texts {
        files[Array(path.utf8)] = Self.node(.regular, 0o644, Array(text.utf8))
      }
    }
  }

  static func node(_ kind: FileKind, _ mode: UInt32, _ content: [UInt8] = []) -> Node {
    Node(
      attributes: Attributes(
        node: NodeID(7), kind: kind, mode: mode, size: Int64(content.count)), content: content)
  }

  func environment(_ name: String) -> [UInt8]? { variables[name] }
  func now() -> Timestamp { 1_700_000_000_000_000_000 }
  func secondsFromUTC(at time: Timestamp) -> Int { 0 }
  func userName(_ uid: UInt32) -> String? { [0: "root", 1000: "ann"][uid] }
  func groupName(_ gid: UInt32) -> String? { [0: "root", 1000: "users"][gid] }
  func user(named name: String) -> (uid: UInt32, gid: UInt32)? {
    ["root": (0, 0), "ann": (1000, 1000)][name]
  }
  func group(named name: String) -> UInt32? { ["root": 0, "users": 1000][name] }

  func start(_ command: HostCommand) throws(FileError) -> any HostProcess {
    TestProcess(command)
  }

  private func node(_ path: [UInt8]) throws(FileError) -> Node {
    guard let node = files.withLock({ $0[path] }) else { throw .notFound }
    return node
  }

  func attributes(_ path: [UInt8], follow: Bool) throws(FileError) -> Attributes {
    try node(path).attributes
  }

  func list(_ path: [UInt8]) throws(FileError) -> [[UInt8]] {
    guard try node(path).attributes.kind == .directory else { throw .notDirectory }
    let prefix = path + [UInt8(ascii: "/")]
    return files.withLock { files in
      files.keys.filter { $0.starts(with: prefix) && !$0.dropFirst(prefix.count).contains(0x2F) }
        .map { Array($0.dropFirst(prefix.count)) }
    }
  }

  func readLink(_ path: [UInt8]) throws(FileError) -> [UInt8] { try node(path).content }

  func open(_ path: [UInt8]) throws(FileError) -> any HostFile {
    if try node(path).attributes.kind == .directory { throw .isDirectory }
    return TestFile(host: self, path: path)
  }

  func create(_ path: [UInt8], mode: UInt32) throws(FileError) -> any HostFile {
    files.withLock { $0[path] = Self.node(.regular, mode) }
    return TestFile(host: self, path: path)
  }

  func makeDirectory(_ path: [UInt8], mode: UInt32) throws(FileError) {
    let isTaken = files.withLock { files in
      if files[path] != nil { return true }
      files[path] = Self.node(.directory, mode)
      return false
    }
    if isTaken { throw .exists }
  }

  func makeSymlink(_ path: [UInt8], target: [UInt8]) throws(FileError) {
    files.withLock { $0[path] = Self.node(.symlink, 0o777, target) }
  }

  func setAttributes(_ path: [UInt8], _ changes: AttributeChanges) throws(FileError) {
    files.withLock { $0[path]?.attributes.mode = changes.mode ?? 0 }
  }

  func text(_ path: String) -> String? {
    files.withLock { $0[Array(path.utf8)] }.map { String(decoding: $0.content, as: UTF8.self) }
  }
}

final class TestFile: HostFile {
  private let host: TestHost
  private let path: [UInt8]

  init(host: TestHost, path: [UInt8]) {
    self.host = host
    self.path = path
  }

  func read(_ count: Int, at offset: Int64) throws(FileError) -> [UInt8] {
    host.files.withLock { Array(($0[path]?.content ?? []).dropFirst(Int(offset)).prefix(count)) }
  }

  func write(_ bytes: [UInt8], at offset: Int64) throws(FileError) {
    if host.fullDisk.withLock({ $0 }) { throw FileError(.noSpace) }
    host.files.withLock { $0[path]?.content += bytes }
  }

  func finish() throws(FileError) {}
}

/// Understands `cat`, `upper`, `fail` and `echo WORDS`.
final class TestProcess: HostProcess {
  private let command: HostCommand
  private let input = Mutex<[UInt8]>([])
  private let chunks = Mutex<[HostChunk]?>(nil)

  init(_ command: HostCommand) { self.command = command }

  func write(_ bytes: [UInt8]) throws(FileError) { input.withLock { $0 += bytes } }
  func closeInput() {}
  func readAvailable() throws(FileError) -> HostChunk? { nil }

  func read() throws(FileError) -> HostChunk {
    chunks.withLock { chunks in
      var rest = chunks ?? result()
      defer { chunks = rest }
      return rest.isEmpty ? .end : rest.removeFirst()
    }
  }

  private func result() -> [HostChunk] {
    let words = String(decoding: command.line, as: UTF8.self).split(separator: " ")
    let bytes = input.withLock { $0 }
    switch words.first {
    case "cat": return [.output(bytes)]
    case "upper": return [.output(bytes.map { (97...122).contains($0) ? $0 - 32 : $0 })]
    case "fail": return [.error(Array("no luck\n".utf8))]
    default: return [.output(Array((words.dropFirst().joined(separator: " ") + "\n").utf8))]
    }
  }

  func signal(_ number: Int32) {}
  func wait() throws(FileError) -> Int32 {
    command.line.starts(with: Array("fail".utf8)) ? 3 : 0
  }
}
