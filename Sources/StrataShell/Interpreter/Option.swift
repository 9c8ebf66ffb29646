/// One option of a command, as it is parsed, shown by help and completed.
public struct Option: Hashable, Sendable {
  /// The letter behind one dash.
  public let short: Character?
  /// The word behind two dashes.
  public let long: String?
  /// What the option's argument is called; nil if it takes none.
  public let argument: String?
  /// What can stand there, for completion.
  public let completion: OperandKind
  public let summary: String

  public init(
    _ short: Character?, _ long: String?, argument: String? = nil,
    of completion: OperandKind = .none,
    _ summary: String
  ) {
    self.short = short
    self.long = long
    self.argument = argument
    self.completion = completion
    self.summary = summary
  }

  /// `-n`, or `--lines` where there is no letter.
  public var name: String {
    if let short { return "-\(short)" }
    return "--\(long ?? "")"
  }

  /// The options that every command has.
  static let help = Option(nil, "help", "show how the command is used")
  package static let json = Option(nil, "json", "write the result as JSON")
}

/// What an argument stands for, which decides how it is completed.
public enum OperandKind: Hashable, Sendable {
  case none, path, directory, hostPath, fork, layer, command, plugin, variable, alias
  case words([String])
}

/// A place in a command's arguments.
public struct Operand: Hashable, Sendable {
  public let name: String
  public let kind: OperandKind
  /// The last operand that may stand any number of times.
  public let isRepeated: Bool

  public init(_ name: String, _ kind: OperandKind, repeated: Bool = false) {
    self.name = name
    self.kind = kind
    isRepeated = repeated
  }
}
