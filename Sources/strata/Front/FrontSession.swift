internal import Glibc
internal import StrataEngine
internal import StrataShell

/// A session as the command line and the terminal use it: in this process, or in the owner of the
/// workspace.
protocol FrontSession: AnyObject {
  /// Where the session stands, after what was run last.
  var state: FrontState { get }
  func begin(_ start: FrontStart)
  func end()
  /// Runs source and returns its status.
  func run(_ source: FrontSource) -> Int32
  func hasCommand(_ name: [UInt8]) -> Bool
  /// The ways to go on with the word before the cursor, and where in the line it begins.
  func complete(_ line: [UInt8], cursor: Int) -> (start: Int, candidates: [Completion])
  /// Forgets an interruption that came before.
  func resetInterrupt()
  /// Stops what is running; called from any thread.
  var interrupt: @Sendable () -> Void { get }
}

struct FrontState {
  var prompt: [UInt8] = []
  /// The status to leave with, once `exit` was called.
  var exitStatus: Int32?
  var keepsGoing = true
  var isRecording = false
  /// The workspace that goes on where a session in memory has ended.
  var successor: [UInt8]?
}

struct FrontStart {
  /// Lines after a failed one are run (`set -k`).
  var keepsGoing = false
  /// `$0`, `$1` and so on.
  var arguments: [[UInt8]] = []
  /// Lines of earlier sessions, for `history`.
  var history: [[UInt8]] = []
}

/// What is to be run.
struct FrontSource {
  enum Text {
    case source([UInt8])
    /// Words that are already apart.
    case words([[UInt8]])
  }

  var text: Text
  /// Where it is from, for messages about its grammar.
  var name: String?
  /// It is a line of a person, kept in the history.
  var isTyped = false
  /// Commands in it read standard input.
  var readsInput = true
}

extension Assembly: FrontSession {
  var state: FrontState {
    FrontState(
      prompt: session.prompt, exitStatus: session.exitStatus,
      keepsGoing: session.settings.keepsGoing, isRecording: recording.isOn,
      successor: session.successor)
  }

  func begin(_ start: FrontStart) {
    session.settings.keepsGoing = start.keepsGoing
    setArguments(start.arguments)
    start.history.forEach(session.remember)
    during { session.begin() }
  }

  func end() {
    during { session.end() }
    do throws(FileError) {
      try recording.stop()
    } catch {
      Complaint("the transcript: \(error.text)").show()
    }
  }

  func run(_ source: FrontSource) -> Int32 { run(source, input: source.readsInput ? input : nil) }

  /// - Parameter isJSON: whether lists are written as JSON; nil leaves it as it is for the session.
  func run(
    _ source: FrontSource, input: (any ByteSource)?, isJSON: Bool? = nil
  ) -> Int32 {
    defer { plugins.tellUntold(ObjectIdentifier(session)) }
    let input = input ?? MemorySource()
    var output = output
    output.isJSON = isJSON ?? output.isJSON
    switch source.text {
    case .words(let words):
      session.isOneCommand = true
      defer { session.isOneCommand = false }
      return session.run(arguments: words, output: output, input: input)
    case .source(let text):
      if source.isTyped {
        session.isTyped = true
        session.remember(text)
      }
      return session.run(text, output: output, input: input, name: source.name)
    }
  }

  func complete(_ line: [UInt8], cursor: Int) -> (start: Int, candidates: [Completion]) {
    session.complete(line, cursor: cursor)
  }

  func resetInterrupt() { session.cancellation.reset() }
}
