internal import StrataEngine
internal import SystemPackage

private let recursive = Option("r", "recursive", "remove directories with all that is in them")
private let recursiveToo = Option("R", nil, "the same as -r")
private let force = Option("f", "force", "no error for what is not there")
private let directory = Option("d", "dir", "remove empty directories too")
private let verbose = Option("v", "verbose", "say what is removed")

extension Command {
  static let rm = Command(
    "rm", .files, .changes, "remove files and directories",
    usage: ["[-rfdv] PATH\u{2026}"],
    options: [recursive, recursiveToo, force, directory, verbose],
    operands: [Operand("PATH", .path, repeated: true)],
    details: "What lies in a base is only hidden: a whiteout takes its place, and undo or discard "
      + "brings it back. The root, . and .. are refused.",
    examples: ["write /unwanted text", "rm /unwanted", "rm -f /unwanted"]
  ) { context in
    let has = context.arguments.has
    if context.operands.isEmpty, has(force) { return ExitStatus.success }
    let paths = try context.requiredOperands("the PATH to remove")
    let removal = Removal(
      context: context, isRecursive: has(recursive) || has(recursiveToo),
      removesEmpty: has(directory), isVerbose: has(verbose))
    try context.forEach(paths) { path in
      let last = path.lastComponent
      if path.isEmpty, has(force) { return }
      if last == [UInt8(ascii: ".")] || last == [UInt8]("..") || last == [slash] {
        throw FileError(.invalidArgument, saying: "this directory is not removed")
      }
      do {
        try removal.remove(context.place(path))
      } catch let error as FileError where has(force) && error.errno == .noSuchFileOrDirectory {
      }
    }
    return context.status
  }
}

private struct Removal {
  let context: Context
  let isRecursive: Bool
  let removesEmpty: Bool
  let isVerbose: Bool

  func remove(_ place: Place) throws {
    try context.checkCancelled()
    let kind = try place.attributes().kind
    guard kind == .directory else {
      try place.client.unlink(place.name)
      return try say(place)
    }
    guard isRecursive || removesEmpty else { throw FileError.isDirectory }
    if isRecursive {
      let before = context.status
      for child in try place.children() {
        try context.attempt(child.path) { try remove(child) }
      }
      // The directory is not empty then, which the messages before have explained.
      if context.status != before { return }
    }
    try place.client.removeDirectory(place.name)
    try say(place)
  }

  private func say(_ place: Place) throws {
    if isVerbose { try context.print("removed \(place.path.shown)") }
  }
}
