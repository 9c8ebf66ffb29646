internal import Glibc
internal import StrataEngine
internal import StrataFUSE
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
    var mount: Mount?
    var process: (any HostProcess)?
    var status: Int32 = ExitStatus.failure
    var end: Timestamp = 0
  }

  func run(_ list: String, atOnce: Int) throws -> Int32 {
    let names = list.split(separator: ",").map(String.init)
    guard !names.isEmpty, Set(names).count == names.count else {
      throw UsageError("--forks names each fork once")
    }
    guard atOnce > 0 else { throw UsageError("-j takes a number of 1 or more") }
    let forks = try names.map { name in
      try context.workspace.fork(named: name)
        ?? context.workspace.fork(context.fork, named: name, by: context.session.caller)
    }
    var waiting = forks[...]
    var running: [Job] = []
    var done: [Job] = []
    while !waiting.isEmpty || !running.isEmpty {
      while running.count < atOnce, let fork = waiting.popFirst() {
        running.append(try start(fork))
      }
      usleep(2000)
      for index in running.indices.reversed() where isOver(running[index]) {
        done.append(try finish(running.remove(at: index)))
        try progress(done.count, of: forks.count, done)
      }
      if context.isCancelled {
        waiting = []
        for job in running { job.process?.signal(SIGTERM) }
      }
    }
    try context.checkCancelled()
    let ordered = forks.compactMap { fork in done.first { $0.fork === fork } }
    try table(ordered)
    return ordered.map(\.status).max() ?? ExitStatus.success
  }

  private func isOver(_ job: Job) -> Bool { job.mount.map { !$0.isServing } ?? true }

  private func start(_ fork: Fork) throws -> Job {
    var job = Job(fork: fork, before: fork.value, start: context.workspace.now)
    let mount = try Mount(fork, call.options(for: fork))
    let host = context.session.host
    let variables = context.session.variables
    do {
      job.process = try mount.handOver { descriptor throws(FileError) in
        let process = try host.start(
          HostCommand(
            line: call.line(descriptor, fork), environment: variables, input: .none,
            output: .inherited, error: .inherited))
        call.waitForEntry(mount)
        return process
      }
    } catch {
      mount.stop()
      throw error
    }
    job.mount = mount
    return job
  }

  private func finish(_ job: Job) throws -> Job {
    var job = job
    job.status = try job.process?.wait() ?? ExitStatus.failure
    job.end = context.workspace.now
    return job
  }

  private func progress(_ count: Int, of all: Int, _ done: [Job]) throws {
    guard let job = done.last else { return }
    try? context.output.standardError.write(
      Array("[\(count)/\(all)] \(job.fork.name): \(job.status)\n".utf8))
  }

  private func table(_ jobs: [Job]) throws {
    try context.print("fork\tstatus\tseconds\tchanges\twritten\tcopied")
    for job in jobs {
      let changes = try context.workspace.diff(job.before, job.fork.value)
      let stats = job.fork.history(newest: 1).last.map(\.stats)
      let tenths = (job.end - job.start) / 100_000_000
      try context.print(
        "\(job.fork.name)\t\(job.status)\t\(tenths / 10).\(tenths % 10)\t\(changes.count)\t"
          + "\(changes.isEmpty ? 0 : stats?.bytesWritten ?? 0)\t"
          + "\(changes.isEmpty ? 0 : stats?.bytesCopied ?? 0)")
    }
  }
}
