import SystemPackage

/// What `fallocate` does to a range.
public enum AllocateMode: Sendable {
  /// The range becomes part of the file, which grows if need be.
  case extend
  /// Room is made, the size stays.
  case keepSize
  /// The range reads as zeros and takes no room; the size stays.
  case punchHole
  /// The range reads as zeros, the file grows if need be.
  case zeroRange
}

/// A change of a file's content.
enum ContentChange {
  /// Bytes, and what they have landed in if they begin where that does.
  case write(UnsafeRawBufferPointer, at: Int64, Landing? = nil)
  case truncate(to: Int64)
  case allocate(Range<Int64>, AllocateMode)

  /// The file's size after it.
  func size(from size: Int64) -> Int64 {
    switch self {
    case .write(let data, let offset, _):
      max(size, offset > Int64.max - Int64(data.count) ? .max : offset + Int64(data.count))
    case .truncate(let target): target
    case .allocate(let range, .extend), .allocate(let range, .zeroRange):
      max(size, range.upperBound)
    case .allocate: size
    }
  }
}

extension Namespace {
  /// The layer that a file's content would be taken from by a first write; nil if it is all the
  /// top's own line already. `.some(nil)` is a base.
  func contentFromBelow(_ id: NodeID) throws(FileError) -> Layer?? {
    guard let node = nodes[id] else { return .some(nil) }
    guard case .file(let content) = node.body else { return nil }
    if content.below != nil { return .some(nil) }
    guard let owner = content.owner, isBelow(owner.id) else { return nil }
    return .some(owner)
  }

  /// The base's file whose content is the node's, all of it; nil if there is no such file.
  func wholeFileBelow(_ id: NodeID) throws(FileError) -> Below? {
    let node = try record(id)
    guard case .file(let content) = node.body, let below = content.below, content.extents.isEmpty,
      below.limit == node.size, below.limit == below.stamp.size
    else { return nil }
    return below
  }

  func read(
    _ id: NodeID, into buffer: UnsafeMutableRawBufferPointer, at offset: Int64,
    _ reader: BelowReader
  ) throws(FileError) -> Int {
    let node = try record(id)
    guard case .file(let content) = node.body else {
      throw node.kind == .directory ? .isDirectory : .invalid
    }
    guard offset >= 0 else { throw .invalid }
    let count = Int(min(max(node.size - offset, 0), Int64(buffer.count)))
    guard count > 0 else { return 0 }
    try context.whole { () throws(FileError) in
      try content.read(
        into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]), at: offset, reader)
    }
    return count
  }

  func data(
    _ id: NodeID, after offset: Int64, _ reader: BelowReader
  ) throws(FileError) -> Range<Int64>? {
    let node = try record(id)
    guard case .file(let content) = node.body else { throw .invalid }
    return try context.whole { () throws(FileError) in
      try content.data(after: max(offset, 0), size: node.size, reader)
    }
  }

  /// Changes content by the one write rule; `how` says what becomes of content from below.
  mutating func change(
    _ id: NodeID, _ change: ContentChange, _ how: FirstWrite, _ reader: BelowReader,
    drops: PrivilegeDrop, _ effects: inout [Effect]
  ) throws(FileError) {
    let kind = try kind(id)
    guard kind == .regular else { throw kind == .directory ? .isDirectory : .invalid }
    let from = try contentFromBelow(id)
    let layer = try bringUp(id)
    let now = self.context.clock()
    let sealedThrough = sealedThrough
    let persistence = self.context.persistence
    let storesAtOnce = persistence?.takesLargeWrites.load(ordering: .relaxed) == true
    try takeExtendedAttributes(of: id)
    let context = try self.change(id) { node throws(FileError) -> WriteContext in
      var context = WriteContext(layer: layer, sealedThrough: sealedThrough, reader: reader)
      context.store = persistence.map { ($0.store, DataFileID(layer: layer.id, node: id)) }
      context.storesAtOnce = storesAtOnce
      try node.apply(change, how, isFromBelow: from != nil, &context)
      node.drop(drops)
      node.modified = now
      node.changed = now
      return context
    }
    note(id, change, how, from: from, context, &effects)
    if storesAtOnce, !context.storesAtOnce {
      persistence?.takesLargeWrites.store(false, ordering: .relaxed)
    }
    if context.hasStored { seal() }
  }

  /// Makes a base's extended attributes the record's own: once its content is, too, nothing leads to
  /// the base's any more.
  private mutating func takeExtendedAttributes(of id: NodeID) throws(FileError) {
    guard let node = nodes[id], node.xattrs == nil, node.below != nil else { return }
    let values = try extendedAttributes(id)
    try change(id) { $0.xattrs = values.isEmpty ? .empty : ExtendedAttributes(values) }
  }

  private func note(
    _ id: NodeID, _ change: ContentChange, _ how: FirstWrite, from: Layer??,
    _ context: WriteContext, _ effects: inout [Effect]
  ) {
    let isCopyUp = how == .copyUp
    context.layer.count { stats in
      if case .write(let data, _, _) = change { stats.bytesWritten += Int64(data.count) }
      stats.bytesCopied += context.copied
      guard from != nil else { return }
      if isCopyUp { stats.copyUps += 1 } else if context.taken > 0 { stats.redirects += 1 }
    }
    guard let from, isCopyUp || context.taken > 0 else { return }
    effects.append(
      Effect(
        kind: isCopyUp ? .copyUp : .redirect, node: id, bytes: context.taken, from: from,
        to: context.layer))
  }
}

extension Node {
  fileprivate mutating func apply(
    _ change: ContentChange, _ how: FirstWrite, isFromBelow: Bool, _ context: inout WriteContext
  ) throws(FileError) {
    guard case .file(var content) = body else { throw .invalid }
    // The record must not refer to the content meanwhile: pages are written in place only where
    // nothing else does.
    body = .special(.regular, device: 0, below: nil)
    defer { body = .file(content) }
    try content.apply(change, how, size: size, isFromBelow: isFromBelow, &context)
    size = change.size(from: size)
  }
}

extension FileContent {
  fileprivate mutating func apply(
    _ change: ContentChange, _ how: FirstWrite, size: Int64, isFromBelow: Bool,
    _ context: inout WriteContext
  ) throws(FileError) {
    var unit = Block.size
    if isFromBelow, how == .copyUp {
      let former = self
      do throws(FileError) {
        try copyUp(size: min(size, change.size(from: size)), &context)
        try apply(change, size: size, unit: unit, &context)
      } catch {
        self = former
        throw error
      }
      return
    }
    if isFromBelow, case .redirect(let block) = how {
      unit = block
    }
    try apply(change, size: size, unit: unit, &context)
  }

  private mutating func apply(
    _ change: ContentChange, size: Int64, unit: Int, _ context: inout WriteContext
  ) throws(FileError) {
    switch change {
    case .write(let data, let offset, let landing):
      context.landing = landing
      try write(data, at: offset, size: size, unit: unit, &context)
    case .truncate(let target):
      if target < size { try shrink(to: target, &context) }
    case .allocate(let range, .punchHole), .allocate(let range, .zeroRange):
      try zero(range, size: size, &context)
    case .allocate: break
    }
    if let below, below.limit == 0 { self.below = nil }
    if below == nil, extents.isEmpty { owner = context.layer }
  }
}
