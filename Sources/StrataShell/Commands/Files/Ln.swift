internal import StrataEngine
internal import SystemPackage

private let symbolic = Option("s", "symbolic", "make symbolic links")
private let force = Option("f", "force", "replace what is there already")
private let asFile = Option(
  "T", "no-target-directory", "the target is the link's name, never a directory to link into")
private let noFollow = Option(
  "n", "no-dereference", "the target is no directory if it is a symbolic link to one")
private let verbose = Option("v", "verbose", "say what is linked")

extension Command {
  static let ln = Command(
    "ln", .files, .changes, "make further names for files",
    usage: ["[-sfnTv] TARGET [NAME]", "[-sfv] TARGET\u{2026} DIRECTORY"],
    options: [symbolic, force, asFile, noFollow, verbose],
    operands: [Operand("TARGET", .path), Operand("NAME", .path, repeated: true)],
    details: "A hard link survives copy-up: both names go on naming one node. A symbolic link is "
      + "followed inside the namespace; an absolute one starts at its root.",
    examples: ["write /a text", "ln /a /b", "ln -s a /c", "ls -l /a /b /c", "rm /a /b /c"]
  ) { context in
    let has = context.arguments.has
    let operands = try context.requiredOperands("the TARGET of the link")
    let sources = operands.count == 1 ? operands : operands.dropLast()
    let place = operands.count == 1 ? [UInt8(ascii: ".")] : operands[operands.count - 1]
    let isLink = (try? context.client.attributes(place, follow: false))?.kind == .symlink
    let asIs = has(asFile) || has(noFollow) && isLink
    guard sources.count == 1 || !asIs else { throw UsageError("two paths are needed, not more") }
    try context.forEach(sources) { source in
      let name = try context.target(for: source, in: place, asIs: asIs, count: sources.count)
      let client = context.client
      func link() throws(FileError) {
        if has(symbolic) {
          try client.makeSymlink(name, target: source)
        } else {
          try client.link(source, as: name)
        }
      }
      do {
        do {
          try link()
        } catch let error as FileError where error.errno == .fileExists && has(force) {
          if !has(symbolic) {
            let (old, new) = (
              try client.resolve(name, follow: false), try client.resolve(source, follow: false)
            )
            if old == new {
              throw CommandFailure("\(source.shown) and \(name.shown) are the same file")
            }
          }
          try client.unlink(name)
          try link()
        }
      } catch let error as FileError {
        throw CommandFailure("\(name.shown) to \(source.shown): \(error.text)")
      }
      if has(verbose) { try context.print("\(name.shown) -> \(source.shown)") }
    }
    return context.status
  }
}
