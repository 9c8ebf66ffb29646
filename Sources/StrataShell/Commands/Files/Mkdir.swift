internal import StrataEngine
internal import SystemPackage

private let parents = Option(
  "p", "parents", "make what is missing on the way; no error if it exists")
private let mode = Option("m", "mode", argument: "MODE", "permissions, as chmod takes them")
private let verbose = Option("v", "verbose", "say what is made")

extension Command {
  static let mkdir = Command(
    "mkdir", .files, .changes, "make directories",
    usage: ["[-p] [-m MODE] [-v] DIRECTORY\u{2026}"],
    options: [parents, mode, verbose],
    operands: [Operand("DIRECTORY", .directory, repeated: true)],
    examples: ["mkdir -p /new/deep/directory", "rm -r /new"]
  ) { context in
    let paths = try context.requiredOperands("the DIRECTORY to make")
    let change = try context.arguments.value(mode).map { text throws(UsageError) in
      try ModeChange(text)
    }
    let umask = context.session.caller.umask
    func make(_ path: [UInt8]) throws {
      try context.client.makeDirectory(path)
      if let change {
        let wanted = change.apply(to: 0o777, isDirectory: true, umask: umask)
        try context.client.setAttributes(path, AttributeChanges(mode: wanted & 0o7777))
      }
      if context.arguments.has(verbose) { try context.print("made \(path.shown)") }
    }
    try context.forEach(paths) { path in
      guard context.arguments.has(parents) else { return try make(path) }
      var prefix: [UInt8] = path.first == slash ? [slash] : []
      let names = path.split(separator: slash)
      for (index, name) in names.enumerated() {
        prefix = prefix.appending(component: Array(name))
        if let attributes = try? context.client.attributes(prefix) {
          guard attributes.kind == .directory else {
            throw index == names.count - 1 ? FileError.exists : FileError.notDirectory
          }
          continue
        }
        if index == names.count - 1 {
          try make(prefix)
        } else {
          try context.client.makeDirectory(prefix)
          if context.arguments.has(verbose) { try context.print("made \(prefix.shown)") }
        }
      }
      if path.isEmpty { throw FileError.notFound }
    }
    return context.status
  }
}
