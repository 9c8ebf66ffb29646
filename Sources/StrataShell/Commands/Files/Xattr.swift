internal import StrataEngine
internal import SystemPackage

private let setting = Option(
  "w", "write", argument: "NAME", "set the attribute to the VALUE that follows")
private let printing = Option(
  "p", "print", argument: "NAME", "the value of this attribute only, as it is")
private let deletion = Option("d", "delete", argument: "NAME", "remove the attribute")
private let noFollow = Option("h", "no-dereference", "symbolic links themselves")

extension Command {
  static let xattr = Command(
    "xattr", .files, .changes, "show and change extended attributes",
    usage: [
      "[-h] FILE\u{2026}", "[-h] -p NAME FILE\u{2026}", "[-h] -w NAME VALUE FILE\u{2026}",
      "[-h] -d NAME FILE\u{2026}",
    ],
    options: [setting, printing, deletion, noFollow, .json],
    operands: [Operand("FILE", .path, repeated: true)],
    details: "Of a file from below only the attributes are copied, no content.",
    examples: ["write /a text", "xattr -w user.color blue /a", "xattr /a", "rm /a"]
  ) { context in
    var paths = try context.requiredOperands("the FILE")
    let follow = !context.arguments.has(noFollow)
    let client = context.client
    let actions = [setting, printing, deletion].filter(context.arguments.has)
    guard actions.count <= 1 else { throw UsageError("-w, -p and -d exclude each other") }
    if let name = context.arguments.value(setting) {
      let value = paths.removeFirst()
      guard !paths.isEmpty else { throw UsageError("NAME, VALUE and FILE are needed") }
      try context.forEach(paths) { path in
        try client.setExtendedAttribute(path, Name(name), value, follow: follow)
      }
    } else if let name = context.arguments.value(deletion) {
      try context.forEach(paths) { path in
        try client.removeExtendedAttribute(path, Name(name), follow: follow)
      }
    } else if let name = context.arguments.value(printing) {
      try context.forEach(paths) { path in
        guard let value = try client.extendedAttributes(path, follow: follow)[Name(name)] else {
          throw FileError(.noData, name.shown)
        }
        try context.write(context.shown(value) + [UInt8(ascii: "\n")])
      }
    } else {
      try list(paths, follow, context)
    }
    return context.status
  }
}

private func list(_ paths: [[UInt8]], _ follow: Bool, _ context: Context) throws {
  var rows: [JSON] = []
  try context.forEach(paths) { path in
    let found = try context.client.extendedAttributes(path, follow: follow)
    for (name, value) in found.sorted(by: { inNameOrder($0.key.bytes, $1.key.bytes) }) {
      if context.isJSON {
        rows.append(
          .members(["path": .bytes(path), "name": .bytes(name.bytes), "value": .bytes(value)]))
        continue
      }
      let prefix = paths.count > 1 ? "\(path.shown): " : ""
      try context.print("\(prefix)\(name.bytes.shown)=\(value.shown)")
    }
  }
  if context.isJSON { try context.print(rows) }
}
