internal import StrataEngine
internal import StrataShell
internal import Synchronization

/// Collects what a command writes and what events it makes, in the order in which that happens.
final class TranscriptOutput: Observer, Sendable {
  let interest: EventSet
  private let pieces = Mutex<[ReplayOutcome.Piece]>([])

  private let session: ObjectIdentifier?

  /// - Parameter session: what other sessions' commands do is left out; nil leaves nothing out.
  init(_ interest: EventSet, of session: ObjectIdentifier? = nil) {
    (self.interest, self.session) = (interest, session)
  }

  func observe(_ event: Event, on fork: Fork) {
    if let session, RunningCommand.isOfAnother(session) { return }
    pieces.withLock { $0.append(.event(Array(event.line.utf8))) }
  }

  func add(_ bytes: [UInt8]) { pieces.withLock { $0.append(.output(bytes)) } }

  /// What came since the last call.
  func take() -> [ReplayOutcome.Piece] {
    pieces.withLock { pieces in
      defer { pieces = [] }
      return pieces
    }
  }
}

/// Standard output and standard error of a session whose output is kept; passed on, too, if asked.
final class TranscriptSink: ByteSink {
  private let output: TranscriptOutput
  private let next: (any ByteSink)?

  init(_ output: TranscriptOutput, passingTo next: (any ByteSink)? = nil) {
    self.output = output
    self.next = next
  }

  func write(_ bytes: [UInt8]) throws(FileError) {
    output.add(bytes)
    try next?.write(bytes)
  }
}

extension EventSet {
  /// The events that a transcript shows.
  /// - Throws: EINVAL naming an event that there is not.
  init(_ trace: ReplayTrace) throws(FileError) {
    switch trace {
    case .off: self = []
    case .firstWrites: self = Trace.kinds
    case .events(let names):
      self = []
      for name in names {
        guard let kind = EventKind(rawValue: name) else {
          throw FileError(.invalidArgument, "//trace: there is no event '\(name)'")
        }
        formUnion(EventSet(kind: kind))
      }
    }
  }
}
