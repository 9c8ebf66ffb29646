internal import StrataEngine

private let recursive = Option("R", "recursive", "directories with all that is in them")
private let noFollow = Option("h", "no-dereference", "symbolic links themselves")
private let verbose = Option("v", "verbose", "say what is changed")

extension Command {
  static let chown = Command(
    "chown", .files, .changes, "change owner and group",
    usage: ["[-R] [-h] [-v] [USER][:[GROUP]] PATH\u{2026}"],
    options: [recursive, noFollow, verbose],
    operands: [Operand("OWNER", .none), Operand("PATH", .path, repeated: true)],
    details: "USER and GROUP are names that the host knows, or numbers. USER: takes the group that "
      + "the user logs in with. Of a file from below only the attributes are copied, no content.",
    examples: ["write /a text", "chown 0:0 /a", "rm /a"]
  ) { context in
    let operands = try context.requiredOperands("the owner")
    let changes = try owners(operands[0], context.host)
    guard operands.count > 1 else { throw UsageError("the PATH to change is missing") }
    func apply(_ place: Place, follow: Bool) throws {
      try place.client.setAttributes(place.name, changes, follow: follow)
      if context.arguments.has(verbose) {
        try context.print("\(place.path.shown): owner is \(operands[0].shown) now")
      }
    }
    let follows = !context.arguments.has(noFollow)
    try context.forEach(Array(operands.dropFirst())) { path in
      guard context.arguments.has(recursive) else {
        return try apply(context.place(path), follow: follows)
      }
      try context.walk(context.place(path)) { place, attributes in
        try apply(place, follow: false)
        return attributes.kind == .directory
      }
    }
    return context.status
  }
}

private func owners(_ text: [UInt8], _ host: any Host) throws -> AttributeChanges {
  let parts = text.text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
  var changes = AttributeChanges()
  if let name = parts.first, !name.isEmpty {
    if let number = UInt32(name) {
      changes.uid = number
      if parts.count == 2, parts[1].isEmpty {
        throw CommandFailure("\(ShownName(String(name))): a number has no login group")
      }
    } else if let user = host.user(named: String(name)) {
      changes.uid = user.uid
      if parts.count == 2, parts[1].isEmpty { changes.gid = user.gid }
    } else {
      throw CommandFailure("\(ShownName(String(name))): no such user")
    }
  }
  if parts.count == 2, !parts[1].isEmpty {
    guard let gid = UInt32(parts[1]) ?? host.group(named: String(parts[1])) else {
      throw CommandFailure("\(ShownName(String(parts[1]))): no such group")
    }
    changes.gid = gid
  }
  return changes
}
