public import StrataEngine
import Synchronization

extension TableBase {
  /// Something to put into the table.
  public struct Item: Sendable {
    public var kind: FileKind
    public var mode: UInt32
    public var content: [UInt8] = []
    public var uid: UInt32 = 0
    public var gid: UInt32 = 0
    public var device: UInt64 = 0
    /// Names outside the tree that the object has besides.
    public var hiddenLinks: UInt32 = 0
    /// Nil takes the table's own clock.
    public var modified: Timestamp?
    public var xattrs: [Name: [UInt8]] = [:]
    /// Blocks of zeros are holes.
    public var isSparse = false
    public var isWhiteout = false
    public var isOpaque = false

    public init(kind: FileKind, mode: UInt32, content: [UInt8] = []) {
      self.kind = kind
      self.mode = mode
      self.content = content
    }

    public static func file(_ text: String, mode: UInt32 = 0o644) -> Item {
      Item(kind: .regular, mode: mode, content: Array(text.utf8))
    }
    public static func file(_ bytes: [UInt8], mode: UInt32 = 0o644) -> Item {
      Item(kind: .regular, mode: mode, content: bytes)
    }
    public static func symlink(_ target: String) -> Item {
      Item(kind: .symlink, mode: 0o777, content: Array(target.utf8))
    }
    public static func directory(mode: UInt32 = 0o755) -> Item {
      Item(kind: .directory, mode: mode)
    }
    public static var directory: Item { .directory() }
    public static var opaque: Item {
      var item = Item.directory()
      item.isOpaque = true
      return item
    }
    public static var whiteout: Item {
      var item = Item(kind: .characterDevice, mode: 0)
      item.isWhiteout = true
      return item
    }
  }

  /// Puts an object at the path; what was there is removed first, unless both are directories.
  public func add(_ path: String, _ item: Item) { add(Array(path.utf8), item) }
  public func add(_ path: [UInt8], _ item: Item) {
    state.withLock { $0.put(item, at: State.split(path)) }
  }

  /// Gives what is at `path` another name.
  public func link(_ path: String, as other: String) {
    link(Array(path.utf8), as: Array(other.utf8))
  }
  public func link(_ path: [UInt8], as other: [UInt8]) {
    state.withLock { state in
      guard let inode = state.lookup(State.split(path)) else { return }
      state.enter(inode, at: State.split(other))
      state.change(inode) { $0.status.links += 1 }
    }
  }

  /// Takes the path away with all that is in it.
  public func remove(_ path: String) {
    state.withLock { $0.remove(State.split(Array(path.utf8))) }
  }

  /// Renames on the host: the object keeps its identity.
  public func rename(_ path: String, to other: String) {
    state.withLock { state in
      let names = State.split(Array(path.utf8))
      guard let inode = state.lookup(names), let name = names.last,
        let parent = state.lookup(names.dropLast())
      else { return }
      state.remove(State.split(Array(other.utf8)))
      state.change(parent) { $0.entries[name] = nil }
      state.enter(inode, at: State.split(Array(other.utf8)))
      state.change(inode) { _ in }
    }
  }

  /// Overwrites the file's content in place, as a program on the host does.
  public func write(_ path: String, _ bytes: [UInt8]) {
    state.withLock { state in
      guard let inode = state.lookup(State.split(Array(path.utf8))) else { return }
      let time = state.time + 1
      state.change(inode) { object in
        object.content = bytes
        object.status.size = Int64(bytes.count)
        object.status.modified = time
      }
    }
  }

  /// Puts another file in the place of one, with the same content and the number of its inode.
  public func recycle(_ path: String) {
    state.withLock { state in
      guard let inode = state.lookup(State.split(Array(path.utf8))) else { return }
      state.change(inode) { $0.status.identity.generation += 1 }
    }
  }

  public func setMode(_ path: String, _ mode: UInt32) {
    state.withLock { state in
      guard let inode = state.lookup(State.split(Array(path.utf8))) else { return }
      state.change(inode) { $0.status.mode = mode }
    }
  }

  /// The content of a file now, nil if there is none.
  public func content(_ path: String) -> [UInt8]? {
    state.withLock { state in
      state.lookup(State.split(Array(path.utf8))).flatMap { state.objects[$0]?.content }
    }
  }
}

extension TableBase.State {
  func lookup(_ names: some Sequence<Name>) -> UInt64? {
    names.reduce(TableBase.root) { place, name in place.flatMap { objects[$0]?.entries[name] } }
  }

  /// Changes an object, and its change time.
  mutating func change(_ inode: UInt64, _ body: (inout TableBase.Object) -> Void) {
    guard var object = objects[inode] else { return }
    time += 1
    object.status.changed = time
    body(&object)
    objects[inode] = object
  }

  mutating func put(_ item: TableBase.Item, at names: [Name]) {
    if let inode = lookup(names) {
      if item.kind == .directory, objects[inode]?.status.kind == .directory {
        change(inode) { object in
          object.status.mode = item.mode
          (object.status.uid, object.status.gid) = (item.uid, item.gid)
          object.status.isOpaque = item.isOpaque
          object.xattrs = item.xattrs
          if let modified = item.modified { object.status.modified = modified }
        }
        return
      }
      remove(names)
    }
    let inode = nextInode
    nextInode += 1
    let when = item.modified ?? time
    let size = item.kind == .regular || item.kind == .symlink ? item.content.count : 0
    let status = BaseStatus(
      identity: BaseIdentity(device: device, inode: inode), kind: item.kind, mode: item.mode,
      links: item.kind == .directory ? 2 : 1 + item.hiddenLinks, uid: item.uid, gid: item.gid,
      size: Int64(size), blocks: Int64((size + 4095) / 4096 * 8), device: item.device,
      accessed: when, modified: when, changed: when, isWhiteout: item.isWhiteout,
      isOpaque: item.isOpaque)
    objects[inode] = TableBase.Object(
      status: status, content: item.content, xattrs: item.xattrs, isSparse: item.isSparse)
    enter(inode, at: names)
  }

  /// Enters a name for an object, making the directories on the way; what had the name loses it.
  mutating func enter(_ inode: UInt64, at names: [Name]) {
    guard let name = names.last else { return }
    let above = Array(names.dropLast())
    if lookup(above) == nil { put(.directory(), at: above) }
    guard let parent = lookup(above) else { return }
    let isDirectory = objects[inode]?.status.kind == .directory
    let time = time + 1
    change(parent) { object in
      object.entries[name] = inode
      object.status.modified = time
      if isDirectory { object.status.links += 1 }
    }
  }

  mutating func remove(_ names: [Name]) {
    guard let name = names.last, let inode = lookup(names), let parent = lookup(names.dropLast())
    else { return }
    let isDirectory = objects[inode]?.status.kind == .directory
    for child in objects[inode]?.entries.keys.map({ $0 }) ?? [] { remove(names + [child]) }
    let time = time + 1
    change(parent) { object in
      object.entries[name] = nil
      object.status.modified = time
      if isDirectory { object.status.links -= 1 }
    }
    change(inode) { $0.status.links = isDirectory ? 0 : $0.status.links - 1 }
    dropIfUnused(inode)
  }
}
