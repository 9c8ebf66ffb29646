internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// The files `data/LAYER/NODE`: block i of a node in a layer lies at offset i times the block size.
/// Used by one thread at a time.
final class DataFiles {
  struct Key: Hashable {
    var layer: LayerID
    var node: NodeID
    var name: [UInt8] { Array(String(node.rawValue).utf8) }
    var directory: [UInt8] { Array(String(layer.rawValue).utf8) }

    func failure(_ error: Errno) -> FileError {
      FileError(error, "data/\(layer.rawValue)/\(node.rawValue): \(error.description)")
    }
  }

  private static let mostOpen = 64
  /// From so many changed files on, all of the file system is synced at once.
  private static let mostSynced = 32

  let root: Descriptor
  /// Every look at a file goes by ``file(_:isNew:)`` or ``opened(_:)``, which settle it.
  let behind = WritesBehind()
  private var open: [Key: Descriptor] = [:]
  /// Files that were changed, and directories that got new names, since the last sync.
  private var changed: Set<Key> = []
  private var grown: Set<LayerID> = []
  /// Checksums of what was written since the last commit; nil where the kernel has written something,
  /// which is summed up later.
  private(set) var checksums: [Key: UInt64?] = [:]
  /// How far each of those files was written.
  private var ends: [Key: Int64] = [:]
  /// Files that somebody reads without holding this, as long as they are not changed.
  private var watched: [Int: Key] = [:]
  private var lastWatch = 0

  /// How files are opened that are there.
  private let access: OpenFlags

  init(_ root: Descriptor, isReadOnly: Bool = false) {
    (self.root, access) = (root, isReadOnly ? [.read] : [.readWrite])
  }

  // Who has the workspace after this finds it at rest.
  deinit { try? behind.settle() }

  func read(
    _ key: Key, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
  ) throws(FileError) {
    do throws(Errno) {
      let count = try file(key, isNew: false).read(into: buffer, at: offset)
      if count < buffer.count {
        UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
          .initializeMemory(as: UInt8.self, repeating: 0)
      }
    } catch {
      throw failure(error, key)
    }
  }

  /// - Parameters:
  ///   - isBehind: whether what is large may reach the disk later, where there is room for it: what else
  ///     the disk has to say, too, with the next look at the file.
  ///   - landing: where the bytes have landed.
  func write(
    _ bytes: UnsafeRawBufferPointer, to key: Key, at offset: Int64, isBehind: Bool = false,
    landing: Landing? = nil
  ) throws(FileError) {
    do throws(Errno) {
      // Values that share blocks in memory may each hand them over.
      if offset < ends[key, default: 0] { sumLater(key) }
      ends[key] = max(ends[key, default: 0], offset + Int64(bytes.count))
      if isBehind, bytes.count >= WritesBehind.smallest,
        let file = try withRoom(key, for: offset..<offset + Int64(bytes.count))
      {
        try behind.write(bytes, to: file, key, at: offset, landing: landing)
      } else {
        let file = try file(key, isNew: true)
        noteChange(key)
        try file.write(bytes, at: offset)
      }
      if let sum = checksums[key, default: 0] {
        checksums[key] = sum &+ Checksum.ofBlocks(bytes, first: UInt64(offset) / UInt64(Block.size))
      }
    } catch {
      throw failure(error, key)
    }
  }

  /// The file, once it has room for a range: who writes is told of a disk that has none, and not who
  /// comes later.
  /// - Returns: nil if the file system cannot say.
  private func withRoom(_ key: Key, for range: Range<Int64>) throws(Errno) -> Descriptor? {
    let file = try unsettled(key, isNew: true)
    noteChange(key)
    do throws(Errno) {
      try file.takeRoom(for: range)
      return file
    } catch .notSupported {
      return nil
    } catch .noFunction {
      return nil
    }
  }

  private func noteChange(_ key: Key) {
    changed.insert(key)
    if !watched.isEmpty { watched = watched.filter { $0.value != key } }
  }

  /// Begins to look whether anybody changes a file.
  /// - Returns: what to end it with.
  func watch(_ key: Key) -> Int {
    lastWatch += 1
    watched[lastWatch] = key
    return lastWatch
  }

  /// - Returns: whether the file has stayed as it was.
  func endWatch(_ watch: Int) -> Bool { watched.removeValue(forKey: watch) != nil }

  /// To be said before blocks are written of which some may be written over: the sum would count both.
  func sumLater(_ key: Key) { checksums[key] = .some(nil) }

  /// Takes what the kernel can of a range of another file.
  /// - Parameter isShared: by sharing its blocks, all or none; else by copying.
  /// - Returns: how many bytes that were.
  func take(
    _ range: Range<Int64>, of source: Int32, to key: Key, isShared: Bool
  ) throws(FileError) -> Int64 {
    do throws(Errno) {
      let file = try file(key, isNew: true)
      noteChange(key)
      // What comes of it is in the file even if it throws.
      sumLater(key)
      return try isShared
        ? (file.share(range, of: source) ? Int64(range.count) : 0)
        : file.take(range, from: source)
    } catch {
      throw failure(error, key)
    }
  }

  func truncate(_ key: Key, to size: Int64) throws(FileError) {
    do throws(Errno) {
      let file = try file(key, isNew: true)
      let old = try file.status().size
      guard old != size, old - size < Int64(Block.size) else { return }
      noteChange(key)
      try file.truncate(to: size)
    } catch {
      throw failure(error, key)
    }
  }

  /// Makes a file, or makes one longer; what is added reads as zeros.
  func extend(_ key: Key, to size: Int64) throws(FileError) {
    do throws(Errno) {
      let file = try file(key, isNew: true)
      noteChange(key)
      if try file.status().size < size { try file.truncate(to: size) }
    } catch {
      throw failure(error, key)
    }
  }

  /// Puts on the disk what was written since the last time.
  func sync() throws(FileError) {
    guard !changed.isEmpty || !grown.isEmpty else { return }
    do throws(Errno) {
      try behind.settle()
      if changed.count > Self.mostSynced {
        try root.syncFileSystem()
      } else {
        for key in changed { try file(key, isNew: false).syncData() }
        for layer in grown {
          try root.open(entry: Array(String(layer.rawValue).utf8), [.read, .directory]).sync()
        }
        if !grown.isEmpty { try root.sync() }
      }
    } catch {
      throw FileError(error, "data: \(error.description)")
    }
    changed = []
    grown = []
  }

  func forgetChecksums() { (checksums, ends) = ([:], [:]) }

  /// The file by a descriptor of its own, for who reads it without being in anybody's way.
  func opened(_ key: Key) throws(FileError) -> DataFile {
    do throws(Errno) {
      try behind.settle(key)
      return DataFile(try openOnly(key), key)
    } catch {
      throw failure(error, key)
    }
  }

  /// Gives blocks back to the disk, where it can take them.
  func punch(_ key: Key, _ blocks: [Range<UInt64>]) throws(FileError) {
    do throws(Errno) {
      let file = try file(key, isNew: false)
      noteChange(key)
      for run in blocks {
        let unit = Int64(Block.size)
        try file.punchHole(Int64(run.lowerBound) * unit..<Int64(run.upperBound) * unit)
      }
    } catch .notSupported {
      return
    } catch {
      throw failure(error, key)
    }
  }

  /// Removes the files of layers; what is not there counts as removed.
  func remove(_ layers: some Sequence<LayerID>) throws(FileError) {
    let layers = Set(layers)
    behind.forget { layers.contains($0.layer) }
    open = [:]
    for layer in layers { try removeDirectory(Array(String(layer.rawValue).utf8)) }
  }

  func remove(_ key: Key) throws(FileError) {
    behind.forget { $0 == key }
    open[key] = nil
    changed.remove(key)
    checksums[key] = nil
    ends[key] = nil
    do throws(Errno) {
      try root.open(entry: key.directory, [.path, .directory]).unlink(key.name)
      // Only of a layer without further files.
      if (try? root.removeDirectory(key.directory)) != nil { grown.remove(key.layer) }
    } catch .noSuchFileOrDirectory {
      return
    } catch {
      throw failure(error, key)
    }
  }

  private func removeDirectory(_ name: [UInt8]) throws(FileError) {
    do throws(Errno) {
      let directory = try root.open(entry: name, [.read, .directory])
      for name in try directory.names() { try directory.unlink(name) }
      try root.removeDirectory(name)
    } catch .noSuchFileOrDirectory {
      return
    } catch {
      throw FileError(error, "data/\(String(decoding: name, as: UTF8.self))")
    }
  }

  /// The layers that have files.
  func layers() throws(FileError) -> [LayerID] {
    do throws(Errno) {
      return try root.reopen([.read, .directory]).names().compactMap {
        UInt64(String(decoding: $0, as: UTF8.self)).map { LayerID($0) }
      }
    } catch {
      throw FileError(error, "data")
    }
  }

  /// The nodes that have files in a layer, with their sizes.
  func nodes(in layer: LayerID) throws(FileError) -> [(node: NodeID, size: Int64, blocks: Int64)] {
    do throws(Errno) {
      // What the disk refuses is for who wrote it; what may go is looked for all the same.
      try? behind.settle()
      let directory = try root.open(
        entry: Array(String(layer.rawValue).utf8), [.read, .directory])
      var found: [(NodeID, Int64, Int64)] = []
      for name in try directory.names() {
        guard let id = UInt64(String(decoding: name, as: UTF8.self)) else { continue }
        let status = try directory.status(ofEntry: name)
        found.append((NodeID(id), status.size, status.blocks))
      }
      return found
    } catch {
      throw FileError(error, "data/\(layer.rawValue)")
    }
  }

  private func file(_ key: Key, isNew: Bool) throws(Errno) -> Descriptor {
    try behind.settle(key)
    return try unsettled(key, isNew: isNew)
  }

  private func unsettled(_ key: Key, isNew: Bool) throws(Errno) -> Descriptor {
    if let file = open[key] { return file }
    if open.count >= Self.mostOpen { open = [:] }
    let file = try isNew ? openOrMake(key) : openOnly(key)
    open[key] = file
    return file
  }

  private func openOnly(_ key: Key) throws(Errno) -> Descriptor {
    try root.open(entry: key.directory, [.path, .directory])
      .open(entry: key.name, access)
  }

  private func openOrMake(_ key: Key) throws(Errno) -> Descriptor {
    let directory: Descriptor
    do throws(Errno) {
      directory = try root.open(entry: key.directory, [.path, .directory])
    } catch .noSuchFileOrDirectory {
      try root.makeDirectory(key.directory, mode: 0o700)
      directory = try root.open(entry: key.directory, [.path, .directory])
    }
    do throws(Errno) {
      return try directory.open(entry: key.name, [.readWrite])
    } catch .noSuchFileOrDirectory {
      grown.insert(key.layer)
      return try directory.createFile(key.name, mode: 0o600)
    }
  }

  private func failure(_ error: Errno, _ key: Key) -> FileError { key.failure(error) }
}
