internal import Glibc
internal import StrataEngine
internal import StrataShell

/// Runs commands that nobody types: a script, `-c`, standard input. The first that fails ends it,
/// unless `set -k` says otherwise.
struct ScriptFront {
  private let assembly: Assembly
  private var session: Session { assembly.session }

  init(_ assembly: Assembly) {
    self.assembly = assembly
    assembly.session.settings.keepsGoing = false
  }

  /// Makes `$0`, `$1` and so on.
  func setArguments(_ words: [[UInt8]], name: [UInt8]) {
    for (number, word) in ([name] + words).enumerated() {
      session.variables[String(number)] = word
    }
  }

  func run(_ source: [UInt8], name: [UInt8]? = nil) -> Int32 {
    during {
      session.run(
        source, output: assembly.output, input: standardInput,
        name: name.map { "\(ShownName($0))" })
    }
  }

  func run(words: [[UInt8]]) -> Int32 {
    during { session.run(arguments: words, output: assembly.output, input: standardInput) }
  }

  /// Runs the lines of standard input as they come. Commands that read it see nothing: it is ours.
  func runStandardInput() -> Int32 {
    during {
      var rest: [UInt8] = []
      var isAtEnd = false
      while !isAtEnd {
        do throws(FileError) {
          let more = try standardInput.read()
          isAtEnd = more.isEmpty
          rest += more
        } catch {
          Complaint("standard input: \(error.text)").show()
          return ExitStatus.failure
        }
        guard let ready = Self.takeLines(&rest, isAtEnd: isAtEnd, session) else { continue }
        let status = session.run(ready, output: assembly.output)
        let isStopped = status != 0 && !session.settings.keepsGoing
        if session.exitStatus != nil || isStopped { return status }
      }
      return session.lastStatus
    }
  }

  /// The whole lines that there are, when they can be run without what follows.
  private static func takeLines(
    _ rest: inout [UInt8], isAtEnd: Bool, _ session: Session
  ) -> [UInt8]? {
    let end = isAtEnd ? rest.count : rest.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    guard end > 0, isAtEnd || !session.needsMore(Array(rest[..<end])) else { return nil }
    defer { rest.removeFirst(end) }
    return Array(rest[..<end])
  }

  private var standardInput: DescriptorSource { DescriptorSource(0, session.cancellation) }

  private func during(_ body: () -> Int32) -> Int32 {
    session.begin()
    let status = body()
    session.end()
    return session.exitStatus ?? status
  }
}
