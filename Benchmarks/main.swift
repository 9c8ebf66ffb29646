internal import Glibc

/// `scripts/bench [NAME…]`: the limits of the design, measured here and now.
let benchmarks: [(name: String, run: () throws -> Void)] = [
  ("fork", ForkBenchmarks.run),
  ("lookup", LookupBenchmarks.run),
  ("content", ContentBenchmarks.run),
  ("memory", MemoryBenchmarks.run),
  ("lua", LuaBenchmarks.run),
  ("start", StartBenchmarks.run),
  ("durable", DurableBenchmarks.run),
  ("mount", MountBenchmarks.run),
]

if CommandLine.arguments.count == 4, CommandLine.arguments[1] == "--mount-work" {
  MountWork.run(CommandLine.arguments[2], place: CommandLine.arguments[3])
  exit(0)
}
if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "--touch" {
  MountWork.touch(Int(CommandLine.arguments[2]) ?? 0)
  exit(0)
}
let wanted = Set(CommandLine.arguments.dropFirst())
let known = Set(benchmarks.map(\.name))
guard wanted.isSubset(of: known) else {
  print("bench: no such benchmark: \(wanted.subtracting(known).sorted().joined(separator: " "))")
  print("bench: there are \(benchmarks.map(\.name).joined(separator: " "))")
  exit(64)
}
for (name, run) in benchmarks where wanted.isEmpty || wanted.contains(name) {
  print("\n\(name)")
  do { try run() } catch {
    print("bench: \(name): \(error)")
    exit(1)
  }
}
