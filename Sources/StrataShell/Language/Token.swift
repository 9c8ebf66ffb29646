/// The smallest parts of the grammar.
struct Token: Equatable {
  enum Kind: Equatable {
    case word([Word.Part])
    case newline
    case semicolon
    case and
    case or
    case pipe
    case host
    case input
    case output
    case append
    case error
    case errorAppend
    case errorToOutput
    /// The text between two delimiters, read where the line ends.
    case document(Word)
    case end
  }

  var kind: Kind
  var range: SourceRange

  /// For messages: `newline`, `|`.
  func description(in source: [UInt8]) -> String {
    switch kind {
    case .newline: "end of line"
    case .end: "end of input"
    default: "\u{2018}\(ShownName(source[range]))\u{2019}"
    }
  }
}
