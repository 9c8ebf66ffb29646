import StrataEngine
import StrataShell
import StrataTestSupport
import Synchronization

/// A session over a table of files, and what it wrote.
final class Shell {
  let session: Session
  let host: TestHost
  let workspace: Workspace
  private let output = MemorySink()
  private let error = MemorySink()

  init(
    _ items: [(String, TableBase.Item)] = [], host: TestHost = TestHost(),
    caller: Caller = Caller(uid: 0, gid: 0)
  ) throws {
    let clock = Mutex<Timestamp>(1_700_000_000_000_000_000)
    workspace = try Workspace(bases: [TableBase("table", items)]) {
      clock.withLock { time in
        time += 1_000_000_000
        return time
      }
    }
    self.host = host
    session = Session(workspace: workspace, host: host, caller: caller)
  }

  struct Result: Equatable, CustomStringConvertible {
    var output: String
    var error: String
    var status: Int32
    var description: String { "[\(status)] \(output)\(error.isEmpty ? "" : "\n! \(error)")" }
  }

  @discardableResult
  func run(_ line: [UInt8], input: String = "", json: Bool = false) -> Result {
    let status = session.run(
      line,
      output: Output(standardOutput: output, standardError: error, isJSON: json),
      input: MemorySource(Array(input.utf8)))
    return Result(
      output: String(decoding: output.take(), as: UTF8.self),
      error: String(decoding: error.take(), as: UTF8.self), status: status)
  }

  @discardableResult
  func run(_ line: String, input: String = "", json: Bool = false) -> Result {
    run(Array(line.utf8), input: input, json: json)
  }

  /// Standard output of a line that must succeed.
  func output(_ line: String) -> String {
    let result = run(line)
    return result.status == 0 && result.error.isEmpty ? result.output : "FAILED \(result)"
  }
}
