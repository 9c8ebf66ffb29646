internal import StrataEngine
internal import SystemPackage

/// Writes the changes of a fork as an upper directory: whole files, directories that were renamed as
/// new ones that hide what is below. Everything is made beside the directory first.
final class OverlayWriting {
  private let upper: OverlayUpper
  private let tree = HostTree()
  private let client: Client
  private let lower: Client
  private let staging: [UInt8]
  private var made: Set<[UInt8]> = []
  private var links: [NodeID: [UInt8]] = [:]
  private var times: [(host: [UInt8], HostAttributes)] = []

  init(_ upper: OverlayUpper, _ fork: Fork) throws(FileError) {
    self.upper = upper
    let workspace = fork.workspace
    client = Client(fork, as: .superuser)
    // The lower directories alone.
    let number = workspace.forks.count
    let bare = try workspace.bareFork(named: "lower-\(number)-\(fork.id.rawValue)")
    lower = Client(bare, as: .superuser)
    staging = upper.path + Array(".strata-\(fork.id.rawValue)".utf8)
  }

  func run() throws(FileError) {
    defer { try? client.fork.workspace.drop(lower.fork) }
    try clear(staging)
    try tree.makeDirectory(staging, mode: 0o700)
    try give([UInt8(ascii: "/")])
    let changes = try client.fork.workspace.diff(lower.fork.value, client.fork.value)
    for change in changes {
      if let old = change.oldPath { try whiteout(old) }
      switch change.kind {
      case .removed: try whiteout(change.path)
      case .renamed: try whole(change.path)
      case .added, .modified, .metadata, .typeChanged: try one(change.path)
      }
    }
    for (host, attributes) in times.reversed() { try tree.setAttributes(host, attributes) }
    try replace()
  }

  /// Puts what was made in the directory's place, name by name: whatever stops it, each is there as it
  /// was or as it is to be.
  private func replace() throws(FileError) {
    var former = Set(try tree.list(upper.path).map(\.name))
    for entry in try tree.list(staging) {
      let name = [UInt8(ascii: "/")] + entry.name.bytes
      if former.remove(entry.name) != nil {
        try tree.exchange(staging + name, with: upper.path + name)
      } else {
        try tree.move(staging + name, to: upper.path + name)
      }
    }
    for name in former { try clear(upper.path + [UInt8(ascii: "/")] + name.bytes) }
    try clear(staging)
    let root = try client.attributes([UInt8(ascii: "/")])
    try tree.setAttributes(
      upper.path,
      HostAttributes(
        mode: root.mode, uid: root.uid, gid: root.gid, accessed: root.accessed,
        modified: root.modified,
        extendedAttributes: try client.extendedAttributes([UInt8(ascii: "/")])))
  }

  private func clear(_ path: [UInt8]) throws(FileError) {
    guard let status = try tree.status(path) else { return }
    if status.kind == .directory {
      for entry in try tree.list(path) { try clear(path + [UInt8(ascii: "/")] + entry.name.bytes) }
    }
    try tree.remove(path)
  }

  private func host(_ path: [UInt8]) -> [UInt8] { path.count <= 1 ? staging : staging + path }

  private func parent(_ path: [UInt8]) -> [UInt8] {
    let end = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
    return end == 0 ? [UInt8(ascii: "/")] : Array(path[..<end])
  }

  // MARK: Entries

  /// Hides what is below, unless something is to be there or it is hidden with its directory.
  private func whiteout(_ path: [UInt8]) throws(FileError) {
    guard (try? client.attributes(path, follow: false)) == nil, isShownBelow(path) else { return }
    guard try isMerged(parent(path)) else { return }
    try directories(parent(path))
    guard made.insert(path).inserted else { return }
    try tree.makeSpecial(host(path), .characterDevice, device: 0, mode: 0)
  }

  private func isShownBelow(_ path: [UInt8]) -> Bool {
    (try? lower.attributes(path, follow: false)) != nil
  }

  /// Whether a directory of the fork is the one that is below at its place.
  private func isMerged(_ path: [UInt8]) throws(FileError) -> Bool {
    guard let own = try? client.attributes(path, follow: false), own.kind == .directory,
      let below = try? lower.attributes(path, follow: false)
    else { return false }
    guard own.node == below.node else { return false }
    return path.count <= 1 ? true : try isMerged(parent(path))
  }

  /// Makes a directory and those on the way to it.
  private func directories(_ path: [UInt8]) throws(FileError) {
    guard path.count > 1, !made.contains(path) else { return }
    try directories(parent(path))
    made.insert(path)
    try tree.makeDirectory(host(path), mode: 0o700)
    try give(path)
    guard try !isMerged(path) else { return }
    if isShownBelow(path) {
      try tree.setAttributes(
        host(path),
        HostAttributes(extendedAttributes: [Name("trusted.overlay.opaque"): [UInt8(ascii: "y")]]))
    }
    // What the directory shows of below by its former place must be there itself.
    for entry in try client.list(path) { try whole(path + [UInt8(ascii: "/")] + entry.name.bytes) }
  }

  /// One node; of a directory that is merged only itself.
  private func one(_ path: [UInt8]) throws(FileError) {
    guard !made.contains(path) else { return }
    let attributes = try client.attributes(path, follow: false)
    if attributes.kind == .directory { return try directories(path) }
    try directories(parent(path))
    guard made.insert(path).inserted else { return }
    if attributes.links > 1 {
      if let first = links[attributes.node] { return try tree.link(host(first), as: host(path)) }
      links[attributes.node] = path
    }
    switch attributes.kind {
    case .regular:
      let file = try client.open(path, [.read])
      let copy = try tree.create(host(path), mode: 0o600, existing: .refuse, durable: false)
      try copy.copy(
        size: attributes.size, data: { offset throws(FileError) in try file.data(after: offset) },
        read: { buffer, offset throws(FileError) in try file.read(into: buffer, at: offset) })
      try copy.finish()
    case .symlink: try tree.makeSymlink(host(path), target: try client.readLink(path))
    default:
      try tree.makeSpecial(host(path), attributes.kind, device: attributes.device, mode: 0o600)
    }
    try give(path)
  }

  /// A node with all that is in it.
  private func whole(_ path: [UInt8]) throws(FileError) {
    try one(path)
    guard try client.attributes(path, follow: false).kind == .directory else { return }
    for entry in try client.list(path) { try whole(path + [UInt8(ascii: "/")] + entry.name.bytes) }
  }

  private func give(_ path: [UInt8]) throws(FileError) {
    let attributes = try client.attributes(path, follow: false)
    let isLink = attributes.kind == .symlink
    var given = HostAttributes(
      mode: isLink ? nil : attributes.mode, uid: attributes.uid, gid: attributes.gid,
      extendedAttributes: try client.extendedAttributes(path, follow: false))
    try tree.setAttributes(host(path), given)
    given.extendedAttributes = [:]
    (given.accessed, given.modified) = (attributes.accessed, attributes.modified)
    times.append((host(path), given))
  }
}
