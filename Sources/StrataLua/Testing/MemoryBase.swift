internal import StrataEngine

/// A base in memory: files by path, and the directories on the way to them.
final class MemoryBase: BaseReader {
  let title = "base"
  private let files: [[Name]: [UInt8]]
  private let directories: Set<[Name]>
  private let numbers: [[Name]: UInt64]

  init(_ files: [(path: [UInt8], content: [UInt8])]) {
    var byPath: [[Name]: [UInt8]] = [:]
    var directories: Set<[Name]> = [[]]
    for (path, content) in files {
      let names = path.split(separator: UInt8(ascii: "/")).map { Name($0) }
      guard !names.isEmpty else { continue }
      byPath[names] = content
      for count in 0..<names.count { directories.insert(Array(names.prefix(count))) }
    }
    self.files = byPath
    self.directories = directories
    let paths = (Array(byPath.keys) + directories).sorted {
      $0.map(\.bytes).joined(separator: [0]).lexicographicallyPrecedes(
        $1.map(\.bytes).joined(separator: [0]))
    }
    numbers = Dictionary(uniqueKeysWithValues: zip(paths, 1...))
  }

  func status(of path: BasePath) throws(FileError) -> BaseStatus? {
    let names = path.names
    let identity = BaseIdentity(device: 1, inode: numbers[names] ?? 0)
    if directories.contains(names) {
      let inside = directories.count { $0.count == names.count + 1 && $0.starts(with: names) }
      return BaseStatus(
        identity: identity, kind: .directory, mode: 0o755, links: UInt32(inside + 2))
    }
    guard let content = files[names] else { return nil }
    return BaseStatus(
      identity: identity, kind: .regular, mode: 0o644, size: Int64(content.count),
      blocks: Int64(content.count + 511) / 512)
  }

  func list(_ path: BasePath) throws(FileError) -> [BaseEntry] {
    let names = path.names
    guard directories.contains(names) else { throw .notDirectory }
    func isInside(_ other: [Name]) -> Bool {
      other.count == names.count + 1 && other.starts(with: names)
    }
    return directories.filter(isInside).map { BaseEntry(name: $0[names.count], kind: .directory) }
      + files.keys.filter(isInside).map { BaseEntry(name: $0[names.count], kind: .regular) }
  }

  func readLink(_ path: BasePath) throws(FileError) -> [UInt8] { throw .invalid }
  func extendedAttributes(of path: BasePath) throws(FileError) -> [Name: [UInt8]] { [:] }

  func open(_ path: BasePath) throws(FileError) -> any BaseFile {
    guard let content = files[path.names], let status = try status(of: path) else {
      throw .notFound
    }
    return MemoryFile(content, status.stamp)
  }
}

private final class MemoryFile: BaseFile {
  private let content: [UInt8]
  private let state: BaseStamp

  init(_ content: [UInt8], _ state: BaseStamp) {
    self.content = content
    self.state = state
  }

  func stamp() throws(FileError) -> BaseStamp { state }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileError) -> Int {
    let start = min(Int(offset), content.count)
    let piece = content[start..<min(start + buffer.count, content.count)]
    buffer.copyBytes(from: piece)
    return piece.count
  }

  func data(after offset: Int64) throws(FileError) -> Range<Int64>? {
    offset < content.count ? offset..<Int64(content.count) : nil
  }
}
