internal import StrataEngine
internal import SystemPackage

/// Writes the changes of a fork as an upper directory: whole files, directories that were renamed as
/// new ones that hide what is below. Everything is made beside the directory first.
final class OverlayWriting {
  let upper: OverlayUpper
  let tree = HostTree()
  let client: Client
  let lower: Client
  /// Where everything is made first.
  private(set) var staging: [UInt8] = []
  private let numbers: OverlayNumbers
  /// Paths that are not to be made any more.
  var made: Set<[UInt8]> = []
  private var links: [NodeID: [UInt8]] = [:]
  /// Whether one of several names of a file was made.
  private(set) var hasLinks = false
  private var times: [(host: [UInt8], HostAttributes)] = []

  init(_ upper: OverlayUpper, _ fork: Fork, _ numbers: OverlayNumbers) throws(FileError) {
    self.upper = upper
    self.numbers = numbers
    let workspace = fork.workspace
    client = Client(fork, as: .superuser)
    // The lower directories alone.
    let number = workspace.forks.count
    let bare = try workspace.bareFork(named: "lower-\(number)-\(fork.id.rawValue)")
    lower = Client(bare, as: .superuser)
  }

  /// Lets go of what was looked at meanwhile.
  func end() { try? client.fork.workspace.drop(lower.fork) }

  /// Makes the whole directory anew.
  func run() throws(FileError) {
    try begin()
    try give([UInt8(ascii: "/")])
    try replacements()
    for change in try changes() { try make(change) { _ in true } }
    var nodes: [NodeID] = []
    client.fork.value.differences(
      from: lower.fork.value, entry: { _, _ in }, node: { nodes.append($0) })
    try makeTouched(nodes.compactMap { client.fork.path(of: $0) })
    try setTimes()
    try replace()
  }

  func begin() throws(FileError) {
    (made, links, times) = ([], [:], [])
    try upper.clearStaging()
    staging = try upper.makeStaging { path in
      (try? client.attributes(path, follow: false)) != nil || isShownBelow(path)
    }
  }

  func changes() throws(FileError) -> [Change] {
    try client.fork.workspace.diff(lower.fork.value, client.fork.value)
  }

  /// Makes what a change leaves, at the paths that are wanted.
  func make(_ change: Change, _ isWanted: ([UInt8]) -> Bool) throws(FileError) {
    if let old = change.oldPath, isWanted(old) { try whiteout(old) }
    guard isWanted(change.path) else { return }
    switch change.kind {
    case .removed: try whiteout(change.path)
    case .renamed: try whole(change.path)
    case .added, .modified, .metadata, .typeChanged: try one(change.path)
    }
  }

  /// Directories of which nothing but the time may have changed.
  func makeTouched(_ paths: [[UInt8]]) throws(FileError) {
    for path in paths
    where (try? client.attributes(path, follow: false))?.kind == .directory {
      try directories(path)
    }
  }

  func setTimes() throws(FileError) {
    for (host, attributes) in times.reversed() { try tree.setAttributes(host, attributes) }
  }

  /// What is another node than below under the same name, also where it looks the same.
  private func replacements() throws(FileError) {
    var paths: [[UInt8]] = []
    var parent: (directory: NodeID, path: [UInt8]?)?
    client.fork.value.differences(
      from: lower.fork.value,
      entry: { directory, name in
        // What is in a directory of the fork's own comes with that.
        if parent?.directory != directory {
          let isBelow = (try? lower.fork.attributes(of: directory)) != nil
          parent = (directory, isBelow ? client.fork.path(of: directory) : nil)
        }
        guard let parent = parent?.path else { return }
        paths.append((parent.count <= 1 ? [] : parent) + [UInt8(ascii: "/")] + name.bytes)
      }, node: { _ in })
    for path in paths.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      guard let node = (try? client.attributes(path, follow: false))?.node,
        let below = (try? lower.attributes(path, follow: false))?.node, node != below
      else { continue }
      try one(path)
    }
  }

  /// Puts what was made in the directory's place, name by name: whatever stops it, a crash of the
  /// machine too, each is there as it was or as it is to be.
  private func replace() throws(FileError) {
    try upper.sync()
    var former = Set(try tree.list(upper.path).map(\.name))
    for entry in try tree.list(staging) {
      let name = [UInt8(ascii: "/")] + entry.name.bytes
      if former.remove(entry.name) != nil {
        try tree.exchange(staging + name, with: upper.path + name)
      } else {
        try tree.move(staging + name, to: upper.path + name)
      }
    }
    // With them goes the staging directory.
    for name in former { try tree.clear(upper.path + [UInt8(ascii: "/")] + name.bytes) }
    try giveDirectory([UInt8(ascii: "/")])
    try upper.sync()
  }

  /// Gives a directory of the upper one its attributes.
  func giveDirectory(_ path: [UInt8]) throws(FileError) {
    let now = try client.attributes(path)
    let attributes = OverlayUpper.stored(try client.extendedAttributes(path))
      .merging(notes(of: now)) { _, note in note }
    try tree.setAttributes(
      upper.join(path),
      HostAttributes(
        mode: now.mode, uid: now.uid, gid: now.gid, accessed: now.accessed,
        modified: now.modified, extendedAttributes: attributes))
  }

  func host(_ path: [UInt8]) -> [UInt8] { path.count <= 1 ? staging : staging + path }

  func parent(_ path: [UInt8]) -> [UInt8] {
    let end = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
    return end == 0 ? [UInt8(ascii: "/")] : Array(path[..<end])
  }

  // MARK: Entries

  /// Hides what is below, unless something is to be there or it is hidden with its directory.
  func whiteout(_ path: [UInt8]) throws(FileError) {
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
  func isMerged(_ path: [UInt8]) throws(FileError) -> Bool {
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
  func one(_ path: [UInt8]) throws(FileError) {
    guard !made.contains(path) else { return }
    let attributes = try client.attributes(path, follow: false)
    if attributes.kind == .directory { return try directories(path) }
    try directories(parent(path))
    guard made.insert(path).inserted else { return }
    if attributes.links > 1 {
      hasLinks = true
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
    // Names that are from below, too, or as a lower directory this would have but some of them.
    guard attributes.links > 1, (try? lower.fork.attributes(of: attributes.node)) != nil else {
      return
    }
    for name in try lower.fork.value.allPaths(of: attributes.node)
    where (try? client.attributes(name, follow: false))?.node == attributes.node {
      try one(name)
    }
  }

  /// Where the lower directories show a node.
  private func origin(of node: NodeID) -> [UInt8]? {
    guard (try? lower.fork.attributes(of: node)) != nil else { return nil }
    return lower.fork.path(of: node)
  }

  /// A node with all that is in it.
  func whole(_ path: [UInt8]) throws(FileError) {
    try one(path)
    guard try client.attributes(path, follow: false).kind == .directory else { return }
    for entry in try client.list(path) { try whole(path + [UInt8(ascii: "/")] + entry.name.bytes) }
  }

  /// What the next mount is to know of a node.
  private func notes(of attributes: Attributes) -> [Name: [UInt8]] {
    let node = attributes.node
    var notes = [
      Name("trusted.overlay.\(OverlayUpper.number)"): Array("\(numbers.number(of: node))".utf8)
    ]
    if attributes.kind == .directory {
      notes[Name("trusted.overlay.\(OverlayUpper.impure)")] = [UInt8(ascii: "y")]
    } else if attributes.links > 1, let path = origin(of: node) {
      notes[Name("trusted.overlay.\(OverlayUpper.origin)")] = path
    }
    return notes
  }

  private func give(_ path: [UInt8]) throws(FileError) {
    let attributes = try client.attributes(path, follow: false)
    let isLink = attributes.kind == .symlink
    var given = HostAttributes(
      mode: isLink ? nil : attributes.mode, uid: attributes.uid, gid: attributes.gid,
      extendedAttributes: OverlayUpper.stored(
        try client.extendedAttributes(path, follow: false)))
    given.extendedAttributes.merge(notes(of: attributes)) { _, note in note }
    try tree.setAttributes(host(path), given)
    given.extendedAttributes = [:]
    (given.accessed, given.modified) = (attributes.accessed, attributes.modified)
    times.append((host(path), given))
  }
}
