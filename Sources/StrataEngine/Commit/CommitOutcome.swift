/// What the moves of a commit come to: the objects of the host, and where each of them is in the end.
///
/// The moves are made on a picture of the bases. All that the record of a commit says is read from
/// it, so that it cannot be at odds with what is done, whatever was renamed, linked or exchanged.
struct CommitOutcome {
  /// One object of the host. Of a directory the names that lead elsewhere than they did are noted.
  struct Object {
    /// Which node it is before the commit; nil for one that the commit makes.
    let former: NodeID?
    /// Which node it is behind the commit.
    var node: NodeID
    /// Nil for one that the commit makes.
    let kind: FileKind?
    var names: [Name: Int?] = [:]
    /// The directory and the name that it was put at last, if it was.
    var place: (directory: Int, name: Name)?
    /// Whether its link count or its attributes are others than before.
    var isTouched = false
    /// Where it is below the commit's directory, if it is not in the tree any more.
    var staged: [UInt8]?
  }

  let live: Namespace
  private(set) var objects: [Object] = []
  private var known: [NodeID: Int] = [:]
  private var made: [NodeID: Int] = [:]
  /// What has a staged name.
  private var staged: [[UInt8]: Int] = [:]

  /// - Parameter live: the bases as they are.
  init(_ live: Namespace, _ moves: [CommitMove]) throws(FileError) {
    self.live = live
    _ = try object(of: .root)
    for move in moves { try perform(move) }
    try findKept()
  }

  // MARK: Moves

  private mutating func perform(_ move: CommitMove) throws(FileError) {
    switch move {
    case .make(let node, let name): make(node, name)
    case .link(let path, let name):
      let file = try existing(path)
      objects[file].isTouched = true
      staged[name] = file
    case .add(let name, let path): try bind(path, try existing(staged: name))
    case .drop(let name): staged[name] = nil
    case .unname(let path): try unbind(path)
    case .take(let path, let name):
      staged[name] = try existing(path)
      try unbind(path)
    case .put(let name, let path):
      try bind(path, try existing(staged: name))
      staged[name] = nil
    case .swap(let name, let path):
      let former = try existing(path)
      try bind(path, try existing(staged: name))
      objects[former].isTouched = true
      staged[name] = former
    case .dress(let path, let node):
      let object = try existing(path)
      objects[object].isTouched = true
      objects[object].node = node
    }
  }

  private mutating func make(_ node: NodeID, _ name: [UInt8]) {
    // Further names of a file that is made are names of the same file.
    let object = made[node] ?? objects.count
    if object == objects.count { objects.append(Object(former: nil, node: node, kind: nil)) }
    made[node] = object
    staged[name] = object
  }

  private mutating func bind(_ path: [UInt8], _ object: Int) throws(FileError) {
    let (directory, name) = try place(path)
    objects[directory].names.updateValue(object, forKey: name)
    objects[object].place = (directory, name)
    objects[object].isTouched = true
  }

  private mutating func unbind(_ path: [UInt8]) throws(FileError) {
    let object = try existing(path)
    let (directory, name) = try place(path)
    objects[directory].names.updateValue(nil, forKey: name)
    objects[object].isTouched = true
  }

  // MARK: Looking

  mutating func object(of node: NodeID) throws(FileError) -> Int {
    if let known = known[node] { return known }
    let object = objects.count
    known[node] = object
    let kind = try live.kind(node)
    objects.append(Object(former: node, node: node, kind: kind))
    // With a directory, the way to it is known.
    if kind == .directory, node != .root { _ = try self.object(of: live.parent(of: node)) }
    return object
  }

  mutating func child(_ name: Name, of directory: Int) throws(FileError) -> Int? {
    if let changed = objects[directory].names[name] { return changed }
    return try former(name, of: directory)
  }

  /// What the name led to before the commit.
  mutating func former(_ name: Name, of directory: Int) throws(FileError) -> Int? {
    guard let node = objects[directory].former, objects[directory].kind == .directory,
      let child = try live.find(name, in: node)
    else { return nil }
    return try object(of: child)
  }

  private mutating func place(_ path: [UInt8]) throws(FileError) -> (directory: Int, name: Name) {
    let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
    return (try existing(Array(path[..<slash])), Name(path[(slash + 1)...]))
  }

  private mutating func existing(_ path: [UInt8]) throws(FileError) -> Int {
    var place = 0
    for name in path.split(separator: UInt8(ascii: "/")) {
      guard let next = try child(Name(name), of: place) else { throw Self.missing(path) }
      place = next
    }
    return place
  }

  private func existing(staged name: [UInt8]) throws(FileError) -> Int {
    guard let object = staged[name] else { throw Self.missing(name) }
    return object
  }

  private static func missing(_ path: [UInt8]) -> FileError {
    FileError(
      .noSuchFileOrDirectory,
      saying: "\(String(decoding: path, as: UTF8.self)) is gone from the host")
  }

  // MARK: In the end

  /// The host's object is a node's behind the commit, even if no move has anything to do with it.
  mutating func assign(_ node: NodeID, to object: Int) {
    objects[object].node = node
    objects[object].isTouched = true
  }

  /// Whether a directory of the host is another node's behind the commit.
  func isTwin(_ object: Int) -> Bool {
    objects[object].former.map { $0 != objects[object].node } ?? false
  }

  /// The names of directories that are other nodes' lead to other nodes.
  mutating func noteTwins() {
    for object in objects.indices where isTwin(object) {
      guard let (directory, name) = place(of: object) else { continue }
      objects[directory].names.updateValue(object, forKey: name)
    }
  }

  /// Says of all that is not in the tree any more where it is.
  private mutating func findKept() throws(FileError) {
    var waiting = staged.sorted { $0.key.lexicographicallyPrecedes($1.key) }
      .map { (path: $0.key, object: $0.value) }
    while let (path, object) = waiting.popLast() {
      objects[object].staged = path
      objects[object].isTouched = true
      guard let node = objects[object].former, objects[object].kind == .directory else { continue }
      for entry in try live.list(node, after: 2, limit: .max) {
        guard let child = try child(entry.name, of: object) else { continue }
        waiting.append((path + [UInt8(ascii: "/")] + entry.name.bytes, child))
      }
    }
  }

  /// Where an object is that was put somewhere, or a directory; nil for what is not in the tree any
  /// more.
  func path(of object: Int) -> [UInt8]? {
    guard let (directory, name) = place(of: object) else { return object == 0 ? [] : nil }
    return path(of: name, in: directory)
  }

  func path(of name: Name, in directory: Int) -> [UInt8]? {
    var names = [name]
    var place = directory
    while place != 0 {
      guard let (parent, name) = self.place(of: place) else { return nil }
      names.append(name)
      place = parent
    }
    return names.reversed().reduce(into: []) { path, name in
      path.append(UInt8(ascii: "/"))
      path.append(contentsOf: name.bytes)
    }
  }

  private func place(of object: Int) -> (directory: Int, name: Name)? {
    guard objects[object].staged == nil else { return nil }
    if let place = objects[object].place { return place }
    guard let node = objects[object].former, node != .root,
      let (directory, name) = live.placement(of: node), let parent = known[directory]
    else { return nil }
    return (parent, name)
  }
}
