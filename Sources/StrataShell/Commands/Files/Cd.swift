internal import StrataEngine

extension Command {
  static let cd = Command(
    "cd", .files, .manages, "go to another directory",
    usage: ["[DIRECTORY | -]"],
    operands: [Operand("DIRECTORY", .directory)],
    details: "Without an argument it goes to the root of the namespace; with - to the directory "
      + "before. Each fork keeps its own current directory.",
    examples: ["cd /", "cd -"]
  ) { context in
    let session = context.session
    guard context.operands.count <= 1 else { throw UsageError("one directory at the most") }
    var path = context.operands.first ?? [slash]
    let goesBack = path == [UInt8]("-")
    if goesBack {
      guard let previous = session.previousDirectory else {
        throw CommandFailure("there is no directory before")
      }
      path = previous
    }
    let old = session.path
    try context.attempt(path) {
      try session.go(to: nil, path)
      session.previousDirectory = old
      if goesBack { try context.print(session.path.shown) }
    }
    return context.status
  }
}
