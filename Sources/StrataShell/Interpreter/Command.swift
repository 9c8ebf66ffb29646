/// A command of the shell: all that parsing, help, completion, the manual and tests need of it.
public struct Command: Sendable {
  public enum Group: String, CaseIterable, Sendable {
    case files = "Files"
    case text = "Text"
    case layers = "Layers"
    case plugins = "Plugins"
    case session = "Session"
  }

  /// What a command does to the fork it runs in.
  public enum Effect: Sendable {
    /// Looks only.
    case reads
    /// Changes files; the log has it as one operation, which `undo` takes back.
    case changes
    /// Works on forks, the log or the session, outside any operation.
    case manages
    /// Makes, lists or drops forks, or goes to one: what another session does to the current one
    /// meanwhile is no matter.
    case arranges
    /// Works on the store as a whole: no other session changes anything meanwhile.
    case maintains
  }

  public let name: String
  public let group: Group
  public let effect: Effect
  /// One line, without a full stop.
  public let summary: String
  /// What follows the name, a line for each form: `[-n N] [FILE…]`.
  public let usage: [String]
  public let options: [Option]
  public let operands: [Operand]
  /// Paragraphs for `help`, beyond the summary.
  public let details: String
  /// Command lines that run over any tree, in order and in a fork of their own.
  public let examples: [String]
  public let parsing: Parsing
  public let run: @Sendable (Context) throws -> Int32

  public init(
    _ name: String, _ group: Group, _ effect: Effect, _ summary: String, usage: [String],
    options: [Option] = [], operands: [Operand] = [], details: String = "", examples: [String],
    parsing: Parsing = .mixed, run: @escaping @Sendable (Context) throws -> Int32
  ) {
    self.name = name
    self.group = group
    self.effect = effect
    self.summary = summary
    self.usage = usage
    self.options = options
    self.operands = operands
    self.details = details
    self.examples = examples
    self.parsing = parsing
    self.run = run
  }
}

/// How a command's words are told apart.
public enum Parsing: Sendable {
  /// Options may stand anywhere before `--`.
  case mixed
  /// The first operand ends the options.
  case optionsFirst
  /// All words are operands; only a lone `--help` is looked for.
  case raw
  /// As `mixed`, after the words were rewritten: `head -5`, `chmod -x FILE`.
  case rewritten(@Sendable ([[UInt8]]) -> [[UInt8]])
}
