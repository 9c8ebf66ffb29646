private let recursive = Option("r", "recursive", "copy directories with all that is in them")
private let recursiveToo = Option("R", nil, "the same as -r")
private let preserve = Option("p", "preserve", "keep mode, owner, times and extended attributes")
private let archive = Option("a", "archive", "as -r -p, keeping symbolic and hard links")
private let noFollow = Option("P", "no-dereference", "copy symbolic links, not what they lead to")
private let follow = Option("L", "dereference", "copy what symbolic links lead to")
private let noClobber = Option("n", "no-clobber", "leave what is there already")
private let force = Option("f", "force", "remove a target that cannot be opened, and try again")
private let asFile = Option(
  "T", "no-target-directory", "the target is the copy's name, never a directory to copy into")
private let verbose = Option("v", "verbose", "say what is copied")

extension Command {
  static let cp = Command(
    "cp", .files, .changes, "copy files and directories",
    usage: ["[-rpaPLnfTv] SOURCE TARGET", "[-rpaPLnfv] SOURCE\u{2026} DIRECTORY"],
    options: [
      recursive, recursiveToo, preserve, archive, noFollow, follow, noClobber, force, asFile,
      verbose,
    ],
    operands: [Operand("SOURCE", .path), Operand("TARGET", .path, repeated: true)],
    details: "Holes in a file stay holes. With -r symbolic links are copied as such unless -L is "
      + "given.",
    examples: ["write /a text", "cp /a /b", "cat /b", "rm /a /b"]
  ) { context in
    let has = context.arguments.has
    guard context.operands.count >= 2, let target = context.operands.last else {
      throw UsageError("SOURCE and TARGET are needed")
    }
    let sources = context.operands.dropLast()
    guard sources.count == 1 || !has(asFile) else {
      throw UsageError("with -T there are two paths, not more")
    }
    let isRecursive = has(recursive) || has(recursiveToo) || has(archive)
    let copy = TreeCopy(
      context: context, isRecursive: isRecursive, preserves: has(preserve) || has(archive),
      follows: has(follow) || !(has(noFollow) || isRecursive), keepsLinks: has(archive),
      clobbers: !has(noClobber), forces: has(force), isVerbose: has(verbose))
    try context.forEach(Array(sources)) { source in
      let path = try context.target(
        for: source, in: target, asIs: has(asFile), count: sources.count)
      try copy.copy(context.place(source), to: context.place(path))
    }
    return context.status
  }
}
