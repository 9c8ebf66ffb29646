/// Bytes of a source, by their offsets.
public typealias SourceRange = Range<Int>

/// A parsed piece of shell source.
public struct Script: Equatable, Sendable {
  public var statements: [Statement]
}

/// Pipelines joined by `&&` and `||`, which bind equally and from the left.
public struct Statement: Equatable, Sendable {
  public enum Condition: Equatable, Sendable { case ifSucceeded, ifFailed }

  public struct Step: Equatable, Sendable {
    public var condition: Condition
    public var pipeline: Pipeline
  }

  public var first: Pipeline
  public var rest: [Step]
  public var range: SourceRange
}

/// Commands each of which reads what the one before it writes.
public struct Pipeline: Equatable, Sendable {
  public var stages: [SimpleCommand]
  public var range: SourceRange
}

/// Words to run, what they are run with, and where their streams go.
public struct SimpleCommand: Equatable, Sendable {
  public var assignments: [Assignment] = []
  /// For a host program: the words as they stand in the source.
  public var words: [Word] = []
  public var redirections: [Redirection] = []
  /// The command follows `!` and is the host's.
  public var isHost = false
  public var range: SourceRange
}

/// `name=value` in front of a command, or alone.
public struct Assignment: Equatable, Sendable {
  public var name: String
  public var value: Word
}

/// What becomes one argument, or none, or several through a pattern.
public struct Word: Equatable, Sendable {
  public enum Part: Equatable, Sendable {
    case text([UInt8])
    /// As `text`, but never a pattern and never nothing.
    case quoted([UInt8])
    case variable(String, isQuoted: Bool)
    /// Pattern characters as they stand: `*`, `?`, `[a-z]`, `**`.
    case pattern([UInt8])
  }

  public var parts: [Part]
  public var range: SourceRange

  /// The bytes, if neither variable nor pattern nor quote is in them.
  public var plain: [UInt8]? {
    guard case .text(let text) = parts.first, parts.count == 1 else { return nil }
    return text
  }
}

public struct Redirection: Equatable, Sendable {
  public enum Kind: Equatable, Sendable {
    case input(Word)
    /// The text of a heredoc, as one word; its range is that of the lines, the last one included.
    case document(Word)
    case output(Word, append: Bool)
    case error(Word, append: Bool)
    /// `2>&1`
    case errorToOutput
  }

  public var kind: Kind
  public var range: SourceRange
}

extension Statement {
  /// The statement as it is written, with the lines of its heredocs.
  func text(in source: [UInt8]) -> [UInt8] {
    let pipelines = [first] + rest.map(\.pipeline)
    let documents = pipelines.flatMap(\.stages).flatMap(\.redirections).compactMap {
      redirection -> SourceRange? in
      // One that the statement goes on behind is in its range.
      guard case .document(let word) = redirection.kind, word.range.lowerBound >= range.upperBound
      else { return nil }
      return word.range
    }
    let parts = ([range] + documents).map { source[$0] }
    return Array(parts.joined(separator: CollectionOfOne(UInt8(ascii: "\n"))))
  }
}
