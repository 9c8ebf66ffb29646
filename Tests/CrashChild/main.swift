import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport

// strata-crash DIRECTORY SEED STEPS: does so many steps in the workspace in DIRECTORY and says the
// number of each that is durable. Somebody kills it, or makes its system calls fail: then it says
// why the step was not saved and goes on.
//
// strata-crash commit SEED: commits main of the workspace in the current directory, in which somebody
// makes changes behind the plan, and says what it shows then.

let arguments = CommandLine.arguments
if arguments.count == 3, arguments[1] == "commit", let seed = UInt64(arguments[2]) {
  CommitMeanwhile.run(seed: seed)
}
guard arguments.count == 4, let seed = UInt64(arguments[2]), let steps = Int(arguments[3]) else {
  exit(64)
}

func say(_ line: String) {
  let bytes = Array("\(line)\n".utf8)
  _ = write(1, bytes, bytes.count)
}

do {
  let clock = CrashRun.Clock()
  let directory = Array(arguments[1].utf8)
  let lock = try WorkspaceDirectory.own(directory)
  let store = try DurableStore(directory: directory)
  let workspace = try Workspace(bases: [CrashRun.base], store: store) { clock.now }
  let run = CrashRun(workspace, seed: seed)
  say("open \(run.steps)")
  for _ in 0..<steps {
    do {
      try run.step(clock)
      say("done \(run.steps)")
    } catch {
      say("failed \(error)")
      try? workspace.checkpoint()
    }
  }
  try workspace.checkpoint()
  say("end \(run.steps)")
  withExtendedLifetime(lock) {}
} catch {
  say("error \(error)")
  exit(1)
}
