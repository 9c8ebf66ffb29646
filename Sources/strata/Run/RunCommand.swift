internal import CStrataSystem
internal import StrataEngine
internal import StrataFUSE
internal import StrataShell
internal import StrataStorage
internal import StrataSystem

private let forkOption = Option(nil, "fork", argument: "NAME", of: .fork, "run in this fork")
private let newFork = Option(nil, "new", "run in a fork of its own")
private let remove = Option(nil, "rm", "drop the fork of --new afterwards")
private let network = Option(nil, "net", argument: "yes|no", "whether there is a network")
private let contain = Option(
  nil, "contain", "with processes of its own, and without the superuser's capabilities")
private let chdirOption = Option(
  nil, "chdir", argument: "DIR", of: .hostPath, "begin in DIR, a path as the program sees it")
private let quiet = Option("q", "quiet", "do not tell what changed")
private let jobs = Option("j", "jobs", argument: "N", "run in so many of --forks at once")
private let forksOption = Option(
  nil, "forks", argument: "A,B,…", "run once in each of these forks, made if they are not there")

private let raw = Option(
  nil, "raw", "with --forks: leave what the programs write as it is, without the forks' names")

extension Command {
  /// Runs a program of the host that sees the fork in the place of the base.
  static func run(_ place: RunPlace) -> Command {
    Command(
      "run", .layers, .arranges, "run a program with the fork in the place of its base",
      usage: [
        "[--fork NAME|--new [--rm]] [--net=no] [--contain] [--chdir DIR] [-q] [--] CMD [ARG…]",
        "-j N --forks A,B,… [--raw] [--] CMD [ARG…]",
      ],
      options: [
        forkOption, newFork, remove, network, contain, chdirOption, quiet, jobs, forksOption,
        raw, .json,
      ],
      operands: [Operand("CMD", .hostPath), Operand("ARG", .hostPath, repeated: true)],
      details: """
        The program sees an ordinary file system: the fork is mounted over the base's own path, in a \
        mount namespace of the program's own, so that the host's tree is out of its paths' reach. \
        It begins where the shell stands, or, run from a shell of the host, in that one's directory. \
        Inside, strata finds this workspace and begins in the fork. All that it does is one operation, which undo takes back. It has ended when all that it has \
        started has. Plain run does not hold a superuser back who means harm: --contain does more, \
        with process numbers of its own and without capabilities.
        """,
      examples: ["help run"], parsing: .optionsFirst
    ) { context in try RunCall(context, place).run() }
  }
}

/// What a run needs to know of its workspace.
struct RunPlace {
  /// The base that the fork is put over.
  var base: HeldPath
  /// The workspace's directory; nil for one in memory.
  var workspace: HeldPath?
  var shared: SharedMounts
  /// The directory that clients in a run are to find; nil where there can be none.
  var clients: @Sendable () -> [UInt8]?
  /// A directory on whose file system there is as much room as in the fork.
  var capacity: [UInt8] { (workspace ?? base).path }
}

struct RunCall {
  let context: Context
  private let place: RunPlace

  init(_ context: Context, _ place: RunPlace) { (self.context, self.place) = (context, place) }

  func run() throws -> Int32 {
    try checkOptions()
    // What the program writes may leave no room for what was done before.
    try? context.workspace.checkpoint(tellsFailures: false)
    if context.arguments.has(forksOption) || context.arguments.has(jobs) {
      return try RunMany(context, self).run(
        text(forksOption) ?? "", atOnce: text(jobs).map { Int($0) ?? 0 } ?? 1)
    }
    let fork = try chosenFork()
    let (before, start) = (fork.value, context.workspace.now)
    let result = Result { try run(in: fork) }
    if case .success(let status) = result {
      if context.isJSON {
        let time = context.workspace.now - start
        let report = try RunReport(fork, from: before, status: status, nanoseconds: time)
        try context.print([report.json])
      } else {
        try tell(before, fork)
      }
    }
    if context.arguments.has(remove) { try context.workspace.drop(fork) }
    return try result.get()
  }

  /// Whether all that was done is gone with this command.
  var isForNothing: Bool { place.workspace == nil && context.session.isOneCommand }

  /// Whether what programs write is left as it is.
  var isRaw: Bool { context.arguments.has(raw) }

  private func checkOptions() throws {
    guard !context.operands.isEmpty else { throw UsageError("a program is missing") }
    let given = { (option: Option) in context.arguments.has(option) }
    if given(newFork), given(forkOption) { throw UsageError("--fork and --new exclude each other") }
    if given(remove), !given(newFork) { throw UsageError("--rm goes with --new") }
    if let word = text(network), word != "yes", word != "no" {
      throw UsageError("--net takes yes or no")
    }
    if given(forksOption) || given(jobs), given(forkOption) || given(newFork) {
      throw UsageError("--forks names all forks")
    }
  }

  private func text(_ option: Option) -> String? {
    context.arguments.all(option).last.map { String(decoding: $0, as: UTF8.self) }
  }

  private func chosenFork() throws -> Fork {
    if let name = text(forkOption) {
      return try context.fork(named: Array(name.utf8))
    }
    guard context.arguments.has(newFork) else { return context.fork }
    var number = 1
    while context.workspace.fork(named: "run-\(number)") != nil { number += 1 }
    return try context.workspace.fork(
      context.fork, named: "run-\(number)", by: context.session.caller)
  }

  /// Runs the program once.
  private func run(in fork: Fork) throws -> Int32 {
    try context.workspace.operation(context.session.caller.command, on: fork) {
      let entry = try entry(to: fork)
      defer { entry.letGo() }
      let status = try context.runHost(line(fork, entry), entry.descriptors, takesSignals: true)
      try entry.finish()
      return status
    }
  }

  func entry(to fork: Fork) throws -> RunEntry {
    try RunEntry(fork, options(for: fork), clients: place.clients(), place.shared)
  }

  private func options(for fork: Fork) -> MountOptions {
    var options = MountOptions()
    options.source = Array("strata:\(fork.name)".utf8)
    (options.hasDevices, options.hasSetUser) = (true, true)
    options.capacity = try? Descriptor(path: place.capacity, [.path, .directory])
    // The kernel lets no others have files registered.
    options.usesPassthrough = strata_may_mount()
    let caller = context.session.caller
    if !strata_may_mount(), !caller.isSuperuser { options.onlyUser = OnlyUser(caller) }
    options.operation = context.session.caller.command
    return options
  }

  /// What `sh` is to run.
  func line(_ fork: Fork, _ entry: RunEntry) -> [UInt8] {
    var enter = EnterFork(target: place.base.shown, fork: fork.name, command: context.operands)
    enter.hasNetwork = text(network) != "no"
    enter.isContained = context.arguments.has(contain)
    enter.hasWorkspace = entry.hasWorkspace
    enter.hasMount = entry.hasMount
    (enter.directory, enter.mustBegin) = beginning
    let words = [Array("/proc/self/fd/\(EnterFork.Given.program)".utf8)] + enter.arguments
    let line = [Array("exec".utf8)] + words.map(Self.quoted)
    return Array(line.joined(separator: [UInt8(ascii: " ")]))
  }

  /// Where the program is to begin: in the shell's directory; for a line of the host's shell outside of
  /// mounts, in the directory of that, which nil stands for. And whether nothing else will do.
  private var beginning: (directory: [UInt8]?, isWanted: Bool) {
    let slash = UInt8(ascii: "/")
    let wanted = context.arguments.all(chdirOption).last
    let isOutside = context.session.isOneCommand && !context.session.hasGivenPlace
    if wanted?.first == slash || isOutside { return (wanted, wanted != nil) }
    var here = place.base.shown
    if here.last == slash { here.removeLast() }
    here += context.session.path
    return (wanted.map { here + [slash] + $0 } ?? here, wanted != nil)
  }

  private static func quoted(_ word: [UInt8]) -> [UInt8] {
    let quote = UInt8(ascii: "'")
    return [quote] + word.flatMap { $0 == quote ? Array("'\\''".utf8) : [$0] } + [quote]
  }

  // MARK: Afterwards

  private static let mostLines = 20

  private func tell(_ before: Namespace, _ fork: Fork) throws {
    guard !context.arguments.has(quiet) else { return }
    let changes = try context.workspace.diff(before, fork.value)
    guard !changes.isEmpty else { return }
    let style = Style(context.output)
    for change in changes.prefix(Self.mostLines) {
      try? context.output.standardError.write(Array("\(change.statusLine(style))\n".utf8))
    }
    let more = changes.count - Self.mostLines
    let rest = more > 0 ? "… and \(more) more; " : ""
    let text = "\(rest)\(counted(changes.count, "change")) in \(fork.name)\n"
    try? context.output.standardError.write(Array(text.utf8))
    // What else comes from standard input is the program's.
    guard context.output.isTerminal, context.input.isTerminal, fork === context.fork else { return }
    try ask(fork, changes, from: before)
  }

  private func ask(_ fork: Fork, _ changes: [Change], from before: Namespace) throws {
    // What is in memory ends with the session, which has this one command.
    let canKeep = place.workspace != nil || context.session.isTyped
    var isRefused = false
    while true {
      let words = isRefused ? "commit, ours, theirs" : "commit"
      let keys = isRefused ? "c/o/t" : "c"
      let question =
        canKeep
        ? "keep, \(words), discard or diff? [K/\(keys)/d/f]"
        : "\(words), discard or diff? [\(keys)/D/f]"
      switch try answer(to: question, in: fork) {
      case "": return
      case "k" where canKeep, "keep" where canKeep: return
      case "c", "commit": if commits(fork) { return } else { isRefused = true }
      case "o" where isRefused, "ours" where isRefused:
        if commits(fork, ["--ours"]) { return }
      case "t" where isRefused, "theirs" where isRefused:
        if commits(fork, ["--theirs"]) { return }
      case "d", "discard":
        if perform(["undo"]) { return }
      case "f", "diff":
        try context.writePatch(of: changes, from: ("before", before), to: (fork.name, fork.value))
      default:
        if canKeep { try context.print("k, keep: leave the changes in the fork") }
        try context.print("c, commit: apply all changes of the fork to the host")
        if isRefused {
          try context.print("o, ours: and the fork's, where the host has changed, too")
          try context.print("t, theirs: but the host's, where the host has changed, too")
        }
        try context.print("d, discard: undo what the program did")
        try context.print("f, diff: show what the program changed")
      }
    }
  }

  /// The answer in small letters.
  private func answer(to question: String, in fork: Fork) throws -> String {
    do {
      let answer = try context.answer(to: question)
      return String(decoding: answer, as: UTF8.self).lowercased()
    } catch is Interrupted {
      throw CommandFailure(
        "interrupted; the changes are kept in \(fork.name)", status: ExitStatus.interrupted)
    }
  }

  /// - Returns: whether it was done. What could not be done of it, as an attribute that the host does not
  ///   take, has been said.
  private func commits(_ fork: Fork, _ options: [String] = []) -> Bool {
    let before = fork.history(newest: 1).last?.id
    if perform(["commit", "-y"] + options) { return true }
    guard let last = fork.history(newest: 1).last else { return false }
    return last.isCommit && last.id != before
  }

  /// - Returns: whether all went well.
  private func perform(_ words: [String]) -> Bool {
    let words = words.map { Array($0.utf8) }
    return context.session.run(arguments: words, output: context.output, input: context.input)
      == ExitStatus.success
  }
}
