internal import Glibc
internal import StrataEngine
internal import StrataShell

/// `run -j`: the same program in several forks, side by side.
struct RunMany {
  private let context: Context
  private let call: RunCall

  init(_ context: Context, _ call: RunCall) { (self.context, self.call) = (context, call) }

  private struct Job {
    let fork: Fork
    let before: Namespace
    let start: Timestamp
    let entry: RunEntry
    let process: any HostProcess
    let lines: TaggedLines?
    var status: Int32 = ExitStatus.failure
    var end: Timestamp = 0
  }

  func run(_ list: String, atOnce: Int) throws -> Int32 {
    let names = list.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    guard !list.isEmpty else { throw UsageError("-j needs --forks with the names of the forks") }
    guard Set(names).count == names.count else {
      throw UsageError("--forks names each fork once")
    }
    // None of them is made where one cannot be.
    for name in names where !Workspace.isValidForkName(name) {
      let word = ShownName(Array(name.utf8))
      throw UsageError("--forks: \(word) is no fork's name: those have letters, digits and . _ -")
    }
    guard atOnce > 0 else { throw UsageError("-j takes a number of 1 or more") }
    let forks = try names.map(fork)
    var waiting = forks[...]
    var running: [Job] = []
    var done: [Job] = []
    var told = 0
    let width = names.count > 1 && !call.isRaw ? names.map(\.count).max() : nil
    while !waiting.isEmpty || !running.isEmpty {
      while running.count < atOnce, let fork = waiting.popFirst() {
        running.append(try start(fork, tagWidth: width))
      }
      usleep(2000)
      for job in running { job.lines?.pass(job.process) }
      for index in running.indices.reversed() where running[index].entry.isOver {
        done.append(try finish(running.remove(at: index)))
        try progress(done.count, of: forks.count, done)
        // Who has interrupted one wants no more of them.
        if done.last?.status == 128 + SIGINT { waiting = [] }
      }
      let times = context.session.cancellation.times
      if times > told {
        waiting = []
        for job in running { job.process.signal(SIGTERM) }
      }
      told = times
    }
    try context.checkCancelled()
    let ordered = forks.compactMap { fork in done.first { $0.fork === fork } }
    try table(ordered)
    let hasChanges = ordered.contains { !$0.fork.value.isUnchanged(since: $0.before) }
    if call.isForNothing, hasChanges {
      try tell("the forks were in memory and are gone; in a workspace ('strata init') they stay")
    }
    return ordered.map(\.status).max() ?? ExitStatus.success
  }

  /// The fork of a name; one that is not there is made from the current one.
  private func fork(_ name: String) throws -> Fork {
    let (fork, isNew) = try context.fork(madeAs: name)
    if isNew { try tell("made fork \(name) from \(context.fork.name)") }
    return fork
  }

  private func tell(_ line: String) throws {
    try? context.output.standardError.write(Array("\(line)\n".utf8))
  }

  /// - Parameter tagWidth: for the fork's name before each line; nil for the output as it is.
  private func start(_ fork: Fork, tagWidth: Int?) throws -> Job {
    let entry = try call.entry(to: fork)
    defer { entry.letGo() }
    let (before, start) = (fork.value, context.workspace.now)
    let stream = tagWidth == nil ? HostCommand.Stream.inherited : .piped
    var command = HostCommand(
      line: call.line(fork, entry), environment: context.session.variables, input: .none,
      output: stream, error: stream, descriptors: entry.descriptors)
    command.takesSignals = true
    let process = try context.session.host.start(command)
    // What is printed at the end as JSON is all that a program wants to read there.
    let output = context.isJSON ? context.output.standardError : context.output.standardOutput
    return Job(
      fork: fork, before: before, start: start, entry: entry, process: process,
      lines: tagWidth.map {
        TaggedLines(fork.name, width: $0, output, errors: context.output.standardError)
      })
  }

  private func finish(_ job: Job) throws -> Job {
    var job = job
    job.lines?.pass(job.process)
    job.lines?.end()
    job.status = try job.process.wait()
    try job.entry.finish()
    job.end = context.workspace.now
    return job
  }

  private func progress(_ count: Int, of all: Int, _ done: [Job]) throws {
    guard let job = done.last else { return }
    try tell("[\(count)/\(all)] \(job.fork.name): \(job.status)")
  }

  private func table(_ jobs: [Job]) throws {
    let rows = try jobs.map { job in
      try RunReport(
        job.fork, from: job.before, status: job.status, nanoseconds: job.end - job.start)
    }
    if context.isJSON { return try context.print(rows.map(\.json)) }
    try context.print("fork\tstatus\tseconds\tchanges\twritten\tcopied")
    for row in rows { try context.print(row.line) }
  }
}
