extension Command {
  static let pwd = Command(
    "pwd", .files, .reads, "write the current directory", usage: [""], options: [.json],
    examples: ["pwd"]
  ) { context in
    guard context.operands.isEmpty else { throw UsageError("no arguments are taken") }
    let path = context.session.path
    if context.isJSON {
      try context.print(JSON.bytes(path))
    } else {
      try context.write(context.shown(path) + [UInt8(ascii: "\n")])
    }
    return ExitStatus.success
  }
}
