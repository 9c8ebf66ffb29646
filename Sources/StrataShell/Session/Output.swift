/// Where the results and messages of commands go, and how they are to look there.
public struct Output: Sendable {
  public var standardOutput: any ByteSink
  public var standardError: any ByteSink
  /// A person looks at standard output: columns, escaped names.
  public var isTerminal: Bool
  /// Results may be coloured with ANSI sequences.
  public var isColored: Bool
  /// Columns of the terminal.
  public var width: Int
  /// Commands that list write JSON.
  public var isJSON: Bool
  /// The sinks are the program's own standard output and error, which a host program may be given
  /// as they are.
  public var isProcessOutput: Bool

  public init(
    standardOutput: any ByteSink, standardError: any ByteSink, isTerminal: Bool = false,
    isColored: Bool = false, width: Int = 80, isJSON: Bool = false, isProcessOutput: Bool = false
  ) {
    self.standardOutput = standardOutput
    self.standardError = standardError
    self.isTerminal = isTerminal
    self.isColored = isColored
    self.width = width
    self.isJSON = isJSON
    self.isProcessOutput = isProcessOutput
  }

  /// The same with other places for results, which then are no terminal.
  func redirected(standardOutput sink: any ByteSink) -> Output {
    var output = self
    output.standardOutput = sink
    output.isTerminal = false
    output.isColored = false
    output.isProcessOutput = false
    return output
  }

  func redirected(standardError sink: any ByteSink) -> Output {
    var output = self
    output.standardError = sink
    output.isProcessOutput = false
    return output
  }
}
