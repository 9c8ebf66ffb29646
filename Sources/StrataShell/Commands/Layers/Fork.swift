internal import StrataEngine

private let at = Option(nil, "at", argument: "OP", "begin after this operation of the log, not now")
private let stay = Option("s", "stay", "make it, and stay in the current fork")

extension Command {
  static let fork = Command(
    "fork", .layers, .arranges, "make a fork of the current one, and go to it",
    usage: ["[NAME] [--at OP] [-s]"],
    options: [at, stay],
    operands: [Operand("NAME", .none)],
    details: "It takes the same moment whatever the size of the tree: both share everything until "
      + "one of them writes. Without NAME it gets a number: fork-1.",
    examples: ["fork try", "write /only-here text", "switch main", "drop -f try"]
  ) { context in
    guard context.operands.count <= 1 else { throw UsageError("one NAME at the most") }
    let workspace = context.workspace
    var name = context.operands.first?.text ?? freeName(workspace)
    var operation: UInt64?
    if let text = context.arguments.value(at) {
      guard let id = UInt64(text.text) else {
        throw UsageError("--at needs the number of an operation, not \(text.shown)")
      }
      operation = id
    }
    do {
      func make() throws(FileError) -> Fork {
        try workspace.fork(context.fork, named: name, at: operation, by: context.session.caller)
      }
      var made = Result(catching: make)
      while context.operands.isEmpty, case .failure(let error) = made, error == .exists {
        // Another session has taken the number since.
        name = freeName(workspace)
        made = Result(catching: make)
      }
      let fork = try made.get()
      if !context.arguments.has(stay) { try context.session.enter(fork) }
    } catch let error as FileError {
      throw PathFailure([UInt8](name), error)
    }
    return ExitStatus.success
  }
}

private func freeName(_ workspace: Workspace) -> String {
  var number = 1
  while workspace.fork(named: "fork-\(number)") != nil { number += 1 }
  return "fork-\(number)"
}
