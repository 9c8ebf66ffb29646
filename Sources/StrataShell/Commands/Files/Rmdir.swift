private let parents = Option("p", "parents", "remove the directories above as well, while empty")
private let verbose = Option("v", "verbose", "say what is removed")

extension Command {
  static let rmdir = Command(
    "rmdir", .files, .changes, "remove empty directories",
    usage: ["[-p] [-v] DIRECTORY\u{2026}"],
    options: [parents, verbose],
    operands: [Operand("DIRECTORY", .directory, repeated: true)],
    examples: ["mkdir /empty", "rmdir /empty"]
  ) { context in
    let paths = try context.requiredOperands("the DIRECTORY to remove")
    try context.forEach(paths) { path in
      func remove(_ path: [UInt8]) throws {
        try context.client.removeDirectory(path)
        if context.arguments.has(verbose) { try context.print("removed \(path.shown)") }
      }
      try remove(path)
      guard context.arguments.has(parents) else { return }
      var rest = path.withoutTrailingSlashes
      while let index = rest.lastIndex(of: slash), index > 0 {
        rest = Array(rest[..<index]).withoutTrailingSlashes
        let parent = rest
        try context.attempt(parent) { try remove(parent) }
        if context.status != 0 { return }
      }
    }
    return context.status
  }
}
