internal import StrataEngine
internal import StrataShell

/// Runs commands that nobody types: a script, `-c`, standard input. The first that fails ends it,
/// unless `set -k` says otherwise.
struct ScriptFront {
  private let session: any FrontSession
  private var start = FrontStart()

  init(_ session: any FrontSession) { self.session = session }

  /// Makes `$0`, `$1` and so on.
  mutating func setArguments(_ words: [[UInt8]], name: [UInt8]) { start.arguments = [name] + words }

  func run(_ source: [UInt8], name: [UInt8]? = nil) -> Int32 {
    during {
      session.run(FrontSource(text: .source(source), name: name.map { "\(ShownName($0))" }))
    }
  }

  func run(words: [[UInt8]]) -> Int32 { during { session.run(FrontSource(text: .words(words))) } }

  /// Runs the lines of standard input as they come. Commands that read it see nothing: it is ours.
  /// - Parameter opening: the words of a `record` that comes first; nothing follows unless it begins
  ///   a transcript.
  func runStandardInput(opening: [[UInt8]] = []) -> Int32 {
    during {
      if !opening.isEmpty {
        let status = session.run(FrontSource(text: .words(opening), readsInput: false))
        guard session.state.isRecording else { return status }
      }
      let input = DescriptorSource(0, Cancellation())
      var rest: [UInt8] = []
      var isAtEnd = false
      var status: Int32 = 0
      while !isAtEnd {
        do throws(FileError) {
          let more = try input.read()
          isAtEnd = more.isEmpty
          rest += more
        } catch {
          Complaint("standard input: \(error.text)").show()
          return ExitStatus.failure
        }
        guard let ready = Self.takeLines(&rest, isAtEnd: isAtEnd) else { continue }
        status = session.run(FrontSource(text: .source(ready), readsInput: false))
        let isStopped = status != 0 && !session.state.keepsGoing
        if session.state.exitStatus != nil || isStopped { return status }
      }
      return status
    }
  }

  /// The whole lines that there are, when they can be run without what follows.
  private static func takeLines(_ rest: inout [UInt8], isAtEnd: Bool) -> [UInt8]? {
    let end = isAtEnd ? rest.count : rest.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    guard end > 0, isAtEnd || !Session.needsMore(Array(rest[..<end])) else { return nil }
    defer { rest.removeFirst(end) }
    return Array(rest[..<end])
  }

  private func during(_ body: () -> Int32) -> Int32 {
    session.begin(start)
    let status = body()
    session.end()
    return session.state.exitStatus ?? status
  }
}
