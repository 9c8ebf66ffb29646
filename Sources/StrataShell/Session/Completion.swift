/// One way to go on with a word.
public struct Completion: Equatable, Sendable {
  /// What takes the word's place, quoted as the grammar needs it.
  public var replacement: [UInt8]
  /// What a list of the ways shows: the last name of a path, with a slash behind a directory.
  public var display: [UInt8]
  /// The word is whole: a space may follow. False for directories.
  public var isFinal: Bool

  public init(replacement: [UInt8], display: [UInt8], isFinal: Bool = true) {
    self.replacement = replacement
    self.display = display
    self.isFinal = isFinal
  }
}
