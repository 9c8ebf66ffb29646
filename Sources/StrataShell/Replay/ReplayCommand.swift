extension Command {
  /// The command that replays transcripts, which are files of the host.
  public static func replay(_ host: any ReplayHost & Sendable) -> Command {
    let bless = Option(nil, "bless", "write the files anew with what happened, where it differs")
    let filter = Option(
      nil, "filter", argument: "RE", "only the tests whose heading this regular expression finds")
    let junit = Option(
      nil, "junit", argument: "FILE", of: .hostPath, "write a report in JUnit's form")
    return Command(
      "replay", .session, .manages, "run transcripts and show what differs",
      usage: ["[--bless] [--filter RE] [--junit FILE] [FILE…]"], options: [bless, filter, junit],
      operands: [Operand("FILE", .hostPath, repeated: true)],
      details: """
        A transcript is a session as it was typed and shown: prompts, output, events, statuses. It \
        is replayed in a fresh session of its own. Markdown files are replayed, too: each block \
        fenced as strata-session. A directory stands for the .session files in it, no file for \
        the current directory.

        The status is 0 when all hold, 1 when some differ, 2 when some could not be run.
        """,
      examples: ["replay --help"]
    ) { context in
      var options = ReplayRun.Options()
      options.bless = context.arguments.has(bless)
      options.filter = context.arguments.value(filter)
      options.junit = context.arguments.value(junit)
      let run = ReplayRun(options, host: host) { text in
        // Shown at once; where it cannot be, the status still tells.
        try? context.write(text.utf8)
        try? context.flush()
      }
      return run.run(context.operands.isEmpty ? [[UInt8(ascii: ".")]] : context.operands)
    }
  }
}
