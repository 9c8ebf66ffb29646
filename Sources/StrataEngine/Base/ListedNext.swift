/// Directories of the bases that are likely to be listed next.
///
/// Who walks a tree lists the directories of a directory one after the other, in the order in which
/// their names were listed, and waits for each. What is listed before it is asked for is there at once.
public struct ListedNext: Sendable {
  let bases: BaseIndex
  let parent: BaseNode
  let names: [Name]

  /// The size of a directory that is listed before somebody asks: some thousand names on most file
  /// systems.
  private static let mostBytes: Int64 = 256 << 10

  /// Lists them, for whoever asks later. What cannot be listed is left to be asked for.
  public func list() {
    for name in names {
      try? bases.moves.undisturbed { () throws(FileError) in
        guard let node = try bases.child(name, of: parent),
          node.lastStatus.size <= Self.mostBytes
        else { return }
        _ = try bases.listing(of: node)
      }
    }
  }
}

extension BaseIndex {
  /// How many directories are listed before they are asked for.
  private static let mostAhead = 2
  /// How many names are looked through for them.
  private static let reach = 256

  /// The next directories beside one that is about to be listed: if the one before it was listed as
  /// well, and as far as they are not listed yet.
  func listedNext(after directory: BaseNode) -> ListedNext? {
    let name = directory.name
    guard directory.id != .root, let parent = node(directory.parent) else { return nil }
    let (listing, children) = parent.state.withLock { ($0.listing ?? [], $0.children) }
    let place = listing.partition { !($0.name < name) }
    guard place < listing.count, listing[place].name == name else { return nil }
    func isListed(_ name: Name) -> Bool {
      guard let known = children[name], let node = known else { return false }
      return node.state.withLock { $0.listing != nil }
    }
    let before = listing[max(0, place - Self.reach)..<place].last { $0.kind == .directory }
    guard before.map({ isListed($0.name) }) ?? (place <= Self.reach) else { return nil }
    let names = listing[(place + 1)...].prefix(Self.reach)
      .filter { $0.kind == .directory }.prefix(Self.mostAhead).map(\.name)
      .filter { !isListed($0) }
    return names.isEmpty ? nil : ListedNext(bases: self, parent: parent, names: names)
  }
}
