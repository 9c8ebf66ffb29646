/// The commands of a session by name.
public struct CommandTable: Sendable {
  private var commands: [String: Command] = [:]

  /// - Parameter commands: a later one takes the place of an earlier one of its name.
  public init(_ commands: [Command]) {
    for command in commands { self.commands[command.name] = command }
  }

  public subscript(name: String) -> Command? { commands[name] }
  public var names: [String] { commands.keys.sorted() }
  public var all: [Command] { commands.values.sorted { $0.name < $1.name } }
  public mutating func add(_ command: Command) { commands[command.name] = command }
}
