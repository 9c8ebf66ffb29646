private let force = Option("f", "force", "also if it was changed")

extension Command {
  static let drop = Command(
    "drop", .layers, .arranges, "remove forks with all that only they hold",
    usage: ["[-f] FORK\u{2026}"],
    options: [force],
    operands: [Operand("FORK", .fork, repeated: true)],
    details: "This cannot be undone, so a fork that was changed is dropped only with -f. Neither "
      + "main nor the current fork can be dropped.",
    examples: ["fork gone", "switch main", "drop gone"]
  ) { context in
    let names = try context.requiredOperands("the FORK to drop")
    try context.forEach(names) { name in
      let fork = try context.fork(named: name)
      if fork.id == context.fork.id, fork.id != context.workspace.main.id {
        throw CommandFailure("\(fork.name) is the current fork; switch to another one first")
      }
      if fork.isDirty, fork.id != context.workspace.main.id, !context.arguments.has(force) {
        throw CommandFailure("\(fork.name) has changes; -f drops it with them")
      }
      try context.session.turns.drop(fork)
      context.session.forget(fork)
    }
    return context.status
  }
}
