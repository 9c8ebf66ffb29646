internal import StrataEngine
internal import SystemPackage

/// Brings what an upper directory holds into a fork: the directories from the top down, since what
/// was renamed is found by its former place, then all else.
struct OverlayReading {
  private let upper: OverlayUpper
  private let tree = HostTree()
  private let client: Client
  /// The tree as the lower directories show it.
  private let lower: Namespace
  /// Where what gives way is put until everything has been found.
  private let hold = Array("/.strata-overlay".utf8)
  private var held = 0
  private(set) var hasRedirects = false
  /// Names of files with several, by what they are on the host.
  private var links: [BaseIdentity: [UInt8]] = [:]
  /// Hidden when all else has been found.
  private var whiteouts: [[UInt8]] = []
  private let numbers: OverlayNumbers
  private var times: [(path: [UInt8], AttributeChanges)] = []

  init(_ upper: OverlayUpper, _ fork: Fork, _ numbers: OverlayNumbers) {
    self.upper = upper
    client = Client(fork, as: .superuser)
    lower = fork.value
    self.numbers = numbers
  }

  mutating func run() throws(FileError) {
    try client.makeDirectory(hold, mode: 0o700)
    try directories([])
    try contents([])
    for path in whiteouts where exists(path) != nil { try remove(path) }
    for entry in try client.list(hold) {
      try remove(hold + [UInt8(ascii: "/")] + entry.name.bytes)
    }
    try client.removeDirectory(hold)
    // From the bottom up, or what is made in a directory would change its time again.
    for (path, changes) in times.reversed() {
      try client.setAttributes(path, changes, follow: false)
    }
  }

  private func exists(_ path: [UInt8]) -> Attributes? {
    try? client.attributes(path, follow: false)
  }

  private mutating func putAway(_ path: [UInt8]) throws(FileError) {
    guard exists(path) != nil else { return }
    held += 1
    try client.rename(path, to: hold + Array("/\(held)".utf8))
  }

  /// Where the source is when the place is free: it may have been in what gave way.
  private mutating func makeRoom(
    at path: [UInt8], for source: [UInt8]
  ) throws(FileError) -> [UInt8] {
    let node = try client.attributes(source, follow: false).node
    try putAway(path)
    return client.fork.path(of: node) ?? source
  }

  private func remove(_ path: [UInt8]) throws(FileError) {
    guard exists(path)?.kind == .directory else { return try client.unlink(path) }
    for entry in try client.list(path) {
      try remove(path + [UInt8(ascii: "/")] + entry.name.bytes)
    }
    try client.removeDirectory(path)
  }

  // MARK: Directories

  private mutating func directories(_ path: [UInt8]) throws(FileError) {
    for entry in try tree.list(upper.join(path)) where entry.kind == .directory {
      let child = path + [UInt8(ascii: "/")] + entry.name.bytes
      try directory(child, in: path)
      try directories(child)
    }
  }

  private mutating func directory(_ path: [UInt8], in parent: [UInt8]) throws(FileError) {
    let attributes = try tree.extendedAttributes(of: upper.join(path))
    if let target = OverlayUpper.own(OverlayUpper.redirect, in: attributes) {
      hasRedirects = true
      let isAbsolute = target.first == UInt8(ascii: "/")
      if let source = try source(target, of: path, isAbsolute) {
        guard source != path else { return }
        return try client.rename(try makeRoom(at: path, for: source), to: path)
      }
    }
    let isOpaque = OverlayUpper.own(OverlayUpper.opaque, in: attributes)?.first == UInt8(ascii: "y")
    if isOpaque || exists(path)?.kind != .directory {
      try putAway(path)
      try client.makeDirectory(path, mode: 0o755)
    }
  }

  /// Where the directory is by now that the lower ones have at a place.
  private func source(
    _ target: [UInt8], of path: [UInt8], _ isAbsolute: Bool
  ) throws(FileError) -> [UInt8]? {
    var place = NodeID.root
    if isAbsolute {
      for name in target.split(separator: UInt8(ascii: "/")) {
        guard let next = try? lower.lookup(Name(name), in: place) else { return nil }
        place = next
      }
    } else {
      // Another name in the directory that the parent shows.
      let parent = Array(path[..<(path.lastIndex(of: UInt8(ascii: "/")) ?? 0)])
      let directory = try client.resolve(parent.isEmpty ? [UInt8(ascii: "/")] : parent)
      guard let next = try? lower.lookup(Name(target), in: directory) else { return nil }
      place = next
    }
    return client.fork.path(of: place)
  }

  // MARK: All else

  private mutating func contents(_ path: [UInt8]) throws(FileError) {
    let attributes = try tree.extendedAttributes(of: upper.join(path))
    guard let status = try tree.status(upper.join(path)) else { return }
    try give(path.isEmpty ? [UInt8(ascii: "/")] : path, status, attributes)
    for entry in try tree.list(upper.join(path)) {
      let child = path + [UInt8(ascii: "/")] + entry.name.bytes
      if entry.kind == .directory { try contents(child) } else { try take(child) }
    }
  }

  private mutating func take(_ path: [UInt8]) throws(FileError) {
    let host = upper.join(path)
    guard let status = try tree.status(host) else { return }
    let attributes = try tree.extendedAttributes(of: host)
    if OverlayUpper.isWhiteout(status, attributes) { return whiteouts.append(path) }
    if let first = links[status.identity] { return try place(first, at: path) }
    if status.links > 1 { links[status.identity] = path }
    let hasContentBelow = OverlayUpper.own(OverlayUpper.metacopy, in: attributes) != nil
    let below =
      hasContentBelow ? try content(of: path, attributes) : origin(status, attributes)
    if let below {
      try place(below, at: path, isAlone: hasContentBelow)
    } else {
      try putAway(path)
    }
    switch status.kind {
    case .regular where hasContentBelow: break
    case .regular: try copy(host, to: path, status.size)
    case _ where below != nil: break
    case .symlink: try client.makeSymlink(path, target: try tree.readLink(host))
    default: try client.makeSpecial(path, status.kind, device: status.device)
    }
    try give(path, status, attributes)
  }

  /// Where the file is by now whose content a file of attributes only has (metacopy).
  private mutating func content(
    of path: [UInt8], _ attributes: [Name: [UInt8]]
  ) throws(FileError) -> [UInt8] {
    var source: [UInt8]? = path
    if let target = OverlayUpper.own(OverlayUpper.redirect, in: attributes) {
      hasRedirects = true
      source = try self.source(target, of: path, target.first == UInt8(ascii: "/"))
    }
    guard let source, exists(source)?.kind == .regular else {
      throw FileError(.ioError, "the content of a file is in no lower directory")
    }
    return source
  }

  /// Where the file with several names is by now that the lower directories show and that the upper
  /// one has changed.
  private func origin(_ status: BaseStatus, _ attributes: [Name: [UInt8]]) -> [UInt8]? {
    guard let path = OverlayUpper.own(OverlayUpper.origin, in: attributes),
      let number = number(attributes)
    else { return nil }
    var place = NodeID.root
    for name in path.split(separator: UInt8(ascii: "/")) {
      guard let next = try? lower.lookup(Name(name), in: place) else { return nil }
      place = next
    }
    guard (try? lower.attributes(of: place))?.kind == status.kind,
      numbers.number(of: place) == number
    else { return nil }
    return client.fork.path(of: place)
  }

  private func number(_ attributes: [Name: [UInt8]]) -> UInt64? {
    OverlayUpper.own(OverlayUpper.number, in: attributes).flatMap {
      UInt64(String(decoding: $0, as: UTF8.self))
    }
  }

  /// Gives what has a name a further one.
  /// - Parameter isAlone: whether further names that it has below are another file's from now on.
  private mutating func place(
    _ known: [UInt8], at path: [UInt8], isAlone: Bool = false
  ) throws(FileError) {
    let attributes = try client.attributes(known, follow: false)
    if isAlone, attributes.links > 1 {
      let content = try client.open(known, [.read])
      try putAway(path)
      return try copy(
        to: path, attributes.size,
        data: { offset throws(FileError) in try content.data(after: offset) },
        read: { buffer, offset throws(FileError) in try content.read(into: buffer, at: offset) })
    }
    guard exists(path)?.node != attributes.node else { return }
    try client.link(try makeRoom(at: path, for: known), as: path)
  }

  private func copy(_ host: [UInt8], to path: [UInt8], _ size: Int64) throws(FileError) {
    let source = try tree.open(host)
    try copy(
      to: path, size,
      data: { offset throws(FileError) in try source.data(after: offset) },
      read: { buffer, offset throws(FileError) in try source.read(into: buffer, at: offset) })
  }

  private func copy(
    to path: [UInt8], _ size: Int64,
    data: (Int64) throws(FileError) -> Range<Int64>?,
    read: (UnsafeMutableRawBufferPointer, Int64) throws(FileError) -> Int
  ) throws(FileError) {
    let file = try client.open(path, [.write, .truncate], create: 0o600)
    var offset: Int64 = 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
    defer { buffer.deallocate() }
    while let data = try data(offset) {
      offset = max(offset, data.lowerBound)
      let count = try read(
        UnsafeMutableRawBufferPointer(
          rebasing: buffer[..<Int(min(data.upperBound - offset, Int64(buffer.count)))]), offset)
      if count == 0 { break }
      _ = try file.write(
        UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]), at: offset)
      offset += Int64(count)
    }
    try file.truncate(to: size)
  }

  private mutating func give(
    _ path: [UInt8], _ status: BaseStatus, _ attributes: [Name: [UInt8]]
  ) throws(FileError) {
    if let number = number(attributes) {
      numbers.note(number, of: try client.attributes(path, follow: false).node)
    }
    var changes = AttributeChanges(uid: status.uid, gid: status.gid)
    try client.setAttributes(path, changes, follow: false)
    let wanted = OverlayUpper.shown(attributes)
    for name in try client.extendedAttributes(path, follow: false).keys where wanted[name] == nil {
      try client.removeExtendedAttribute(path, name, follow: false)
    }
    for (name, value) in wanted {
      try client.setExtendedAttribute(path, name, value, follow: false)
    }
    changes = AttributeChanges(accessed: status.accessed, modified: status.modified)
    if status.kind != .symlink { changes.mode = status.mode }
    times.append((path, changes))
  }
}
