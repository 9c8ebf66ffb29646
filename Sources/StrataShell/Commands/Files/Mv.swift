internal import StrataEngine

private let noClobber = Option("n", "no-clobber", "leave what is there already")
private let force = Option("f", "force", "replace what is there (which is the default)")
private let asFile = Option(
  "T", "no-target-directory", "the target is the new name, never a directory to move into")
private let exchange = Option(nil, "exchange", "let two names change places")
private let verbose = Option("v", "verbose", "say what is moved")

extension Command {
  static let mv = Command(
    "mv", .files, .changes, "rename files and directories",
    usage: ["[-nfTv] SOURCE TARGET", "[-nfv] SOURCE\u{2026} DIRECTORY", "--exchange A B"],
    options: [noClobber, force, asFile, exchange, verbose],
    operands: [Operand("SOURCE", .path), Operand("TARGET", .path, repeated: true)],
    details: "Nothing is copied, whatever the size and whichever layer it is in: a directory keeps "
      + "its identity and with it all that is below.",
    examples: ["write /a text", "mv /a /b", "mv -v /b /c", "rm /c"]
  ) { context in
    let has = context.arguments.has
    guard context.operands.count >= 2, let target = context.operands.last else {
      throw UsageError("SOURCE and TARGET are needed")
    }
    let sources = context.operands.dropLast()
    let asIs = has(asFile) || has(exchange)
    guard sources.count == 1 || !asIs else { throw UsageError("two paths are needed, not more") }
    try context.forEach(Array(sources)) { source in
      let client = context.client
      let node = try client.resolve(source, follow: false)
      let path = try context.target(for: source, in: target, asIs: asIs, count: sources.count)
      do {
        if has(exchange) {
          try client.rename(source, to: path, .exchange)
        } else {
          if let other = try? client.resolve(path, follow: false) {
            if has(noClobber) { return }
            if other == node, source.withoutTrailingSlashes == path.withoutTrailingSlashes {
              throw CommandFailure("\(source.shown) and \(path.shown) are the same file")
            }
          }
          try client.rename(source, to: path)
        }
      } catch let error as FileError {
        throw CommandFailure("\(source.shown) to \(path.shown): \(error.text)")
      }
      if has(verbose) { try context.print("\(source.shown) -> \(path.shown)") }
    }
    return context.status
  }
}
