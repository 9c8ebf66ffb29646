internal import Glibc
internal import StrataEngine
internal import StrataShell

/// Host programs as children of the client's process: with its terminal, its directory, its
/// environment, whatever it is in. Pipes go there as descriptors.
final class ClientPrograms: ProgramStarter {
  private let connection: OwnerConnection

  init(_ connection: OwnerConnection) { self.connection = connection }

  func start(_ command: HostCommand, _ spawn: Spawn) throws(FileError) -> any StartedProgram {
    let open = spawn.theirs + spawn.lent
    let answer = try connection.call(
      "start",
      .members([
        "line": .bytes(command.line),
        "env": .array(command.environment.map { .bytes(Array("\($0.key)=".utf8) + $0.value) }),
        "pipes": .array(open.map { .int($0.stream) }),
        "signals": .bool(command.takesSignals),
        "closed": .array(spawn.closed.map { .int($0) }),
      ]), descriptors: open.map(\.end))
    guard let number = answer["program"]?.integerValue else {
      throw FileError(.invalidArgument, "the client's answer has no program")
    }
    return ClientProgram(connection, number)
  }
}

private final class ClientProgram: StartedProgram {
  private let connection: OwnerConnection
  private let number: JSON

  init(_ connection: OwnerConnection, _ number: Int64) {
    self.connection = connection
    self.number = .integer(number)
  }

  var isLost: Bool { connection.isAtEnd }

  func signal(_ signal: Int32) {
    let params: JSON = .members(["program": number, "signal": .int(signal)])
    // Where the client is gone, there is nobody to be told.
    try? connection.wire.send(Message.request("signal", params))
  }

  func wait() throws(FileError) -> Int32 {
    let answer = try connection.call("wait", .members(["program": number]))
    guard let status = answer["status"]?.integerValue else {
      throw FileError(.invalidArgument, "the client's answer has no status")
    }
    return Int32(truncatingIfNeeded: status)
  }
}
