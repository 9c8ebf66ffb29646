internal import StrataEngine
internal import SystemPackage

private let canonical = Option("f", "canonicalize", "the path that the links lead to in the end")
private let noNewline = Option("n", "no-newline", "write no newline at the end")

extension Command {
  static let readlink = Command(
    "readlink", .files, .reads, "write where symbolic links point",
    usage: ["[-f] [-n] PATH\u{2026}"],
    options: [canonical, noNewline, .json],
    operands: [Operand("PATH", .path, repeated: true)],
    examples: ["ln -s target /link", "readlink /link", "rm /link"]
  ) { context in
    let paths = try context.requiredOperands("the PATH of a link")
    var rows: [JSON] = []
    try context.forEach(paths) { path in
      let target: [UInt8]
      if context.arguments.has(canonical) {
        target = try canonicalPath(path, context)
      } else {
        target = try context.client.readLink(path)
      }
      if context.isJSON {
        rows.append(.members(["path": .bytes(path), "target": .bytes(target)]))
      } else {
        let isBare = context.arguments.has(noNewline) && paths.count == 1
        try context.write(context.shown(target) + (isBare ? [] : [UInt8(ascii: "\n")]))
      }
    }
    if context.isJSON { try context.print(rows) }
    return context.status
  }
}

/// The one path to a file without a symbolic link, `.` or `..` in it. The file need not be there,
/// its directory must.
private func canonicalPath(_ path: [UInt8], _ context: Context) throws -> [UInt8] {
  var client = context.client
  var path = path
  while true {
    if let node = try? client.resolve(path),
      try context.fork.attributes(of: node).kind == .directory
    {
      return context.fork.path(of: node) ?? path
    }
    let (directory, name) = try client.resolveParent(path)
    guard let kind = try? client.attributes(path, follow: false).kind, kind == .symlink else {
      return (context.fork.path(of: directory) ?? []).appending(component: name.bytes)
    }
    // A loop of links ends here, with ELOOP.
    try checkNoLoop(path, client)
    path = try client.readLink(path)
    client.directory = directory
  }
}

private func checkNoLoop(_ path: [UInt8], _ client: Client) throws(FileError) {
  do {
    _ = try client.resolve(path)
  } catch {
    if error.errno != .noSuchFileOrDirectory { throw error }
  }
}
