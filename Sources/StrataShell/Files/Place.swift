internal import StrataEngine

/// A file on the way through a tree.
///
/// It is found by its name in its directory's node, so that a tree may be deeper than a path may be
/// long, and stays the same when a directory above it is renamed meanwhile.
struct Place {
  /// Positioned in the directory that `name` is resolved from.
  var client: Client
  /// A path for what a command was given, a single name for what lies in it.
  var name: [UInt8]
  /// As it is shown: what the command was given, and the names below it.
  var path: [UInt8]
  /// 0 for what the command was given.
  var depth = 0

  init(_ client: Client, _ path: [UInt8]) {
    self.client = client
    name = path
    self.path = path
  }

  func attributes(follow: Bool = false) throws(FileError) -> Attributes {
    try client.attributes(name, follow: follow)
  }

  func node(follow: Bool = false) throws(FileError) -> NodeID {
    try client.resolve(name, follow: follow)
  }

  /// A client in this directory.
  func inside() throws(FileError) -> Client {
    var inside = client
    inside.directory = try client.resolve(name)
    return inside
  }

  /// What is in the directory, in the order of the names' bytes.
  /// - Throws: ENOTDIR, EACCES.
  func children() throws(FileError) -> [Place] {
    let inside = try inside()
    let names = try inside.list([UInt8(ascii: ".")]).map(\.name.bytes).sorted(by: inNameOrder)
    return names.map { child($0, inside) }
  }

  /// A name in this directory, whether or not it is there.
  func child(_ name: [UInt8], _ inside: Client) -> Place {
    var place = self
    place.client = inside
    place.name = name
    place.path = path.appending(component: name)
    place.depth = depth + 1
    return place
  }

  func child(_ name: [UInt8]) throws(FileError) -> Place { child(name, try inside()) }
}

extension Context {
  func place(_ path: [UInt8]) -> Place { Place(client, path) }

  /// Visits a tree from the top down; what cannot be read is reported, and left out.
  /// - Parameter visit: returns whether to go on into a directory.
  func walk(
    _ top: Place, follow: Bool = false, _ visit: (Place, Attributes) throws -> Bool
  ) throws {
    var pending = [top]
    while let place = pending.popLast() {
      try attempt(place.path) {
        let attributes = try place.attributes(follow: follow && place.depth == 0)
        guard try visit(place, attributes), attributes.kind == .directory else { return }
        pending += try place.children().reversed()
      }
    }
  }
}
