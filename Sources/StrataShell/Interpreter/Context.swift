public import StrataEngine
internal import SystemPackage

/// What a command has to work with: its arguments, its streams, and the session.
public final class Context {
  public let command: Command
  /// The name that it was called by, for messages.
  public let name: String
  public let arguments: Arguments
  public let session: Session
  public let input: any ByteSource
  public let output: Output
  /// The status that the command ends with unless its `run` returns another.
  public var status: Int32 = ExitStatus.success
  private var pending: [UInt8] = []
  /// Attempts under way.
  private var depth = 0
  /// So many fit on one stack with ease, also in a build without optimisation.
  private static let depthPerStack = 256

  init(
    command: Command, name: String, arguments: Arguments, session: Session,
    input: any ByteSource, output: Output
  ) {
    self.command = command
    self.name = name
    self.arguments = arguments
    self.session = session
    self.input = input
    self.output = output
  }

  public var operands: [[UInt8]] { arguments.operands }
  public var fork: Fork { session.fork }
  public var workspace: Workspace { session.workspace }
  public var host: any Host { session.host }
  /// File operations in the current fork and directory, with the caller's permissions.
  public var client: Client { session.client }
  public var isJSON: Bool { output.isJSON || arguments.has(.json) }
  public var isCancelled: Bool { session.cancellation.isCancelled }

  /// - Throws: ``Interrupted`` after Ctrl-C. Called in every loop that can take long.
  public func checkCancelled() throws {
    if isCancelled { throw Interrupted() }
  }

  // MARK: Output

  public func write(_ bytes: some Sequence<UInt8>) throws {
    pending.append(contentsOf: bytes)
    if pending.count >= 1 << 16 { try flush() }
  }

  public func print(_ line: String) throws {
    try write(line.utf8)
    try write(CollectionOfOne(UInt8(ascii: "\n")))
  }

  public func print(_ json: JSON) throws { try print(json.serialized) }

  /// Rows of a listing as JSON: an array with a line for each.
  public func print(_ rows: [JSON]) throws {
    guard !rows.isEmpty else { return try print("[]") }
    let lines = rows.map { " " + $0.serialized }.joined(separator: ",\n")
    try print("[\n\(lines)\n]")
  }

  /// Hands over what was written so far.
  public func flush() throws {
    guard !pending.isEmpty else { return }
    let bytes = pending
    pending = []
    do {
      try output.standardOutput.write(bytes)
    } catch {
      throw WriteFailure(error: error)
    }
  }

  /// A path as it is shown in results: escaped for a person, as it is for a program.
  public func shown(_ path: [UInt8]) -> [UInt8] {
    output.isTerminal ? Array(ShownName(path).description.utf8) : path
  }

  /// What a person answers to a question, without blanks around it; nothing at the end of the input.
  /// - Throws: ``Interrupted`` after Ctrl-C.
  public func answer(to question: String) throws -> [UInt8] {
    try write("\(question) ".utf8)
    try flush()
    do {
      return try input.readLine().trimmed
    } catch {
      guard isCancelled || error.errno == .interrupted else { throw error }
      try print("")
      throw Interrupted()
    }
  }

  // MARK: Messages

  /// Says `NAME: message` on standard error.
  public func complain(_ message: String) throws {
    try flush()
    warn(message)
    status = max(status, ExitStatus.failure)
  }

  /// The same of what is no failure.
  public func warn(_ message: String) {
    try? output.standardError.write(Array("\(name): \(message)\n".utf8))
  }

  /// Says what stands between the fork and its base; that the host has changed is told with it.
  public func complain(_ conflicts: [CommitConflict]) throws {
    for conflict in conflicts {
      try complain("\(ShownName(conflict.path)): \(conflict.kind.rawValue)")
    }
    session.toldOnHost.formUnion(conflicts.map(\.path))
  }

  public func complain(_ path: [UInt8], _ error: FileError) throws {
    try complain("\(ShownName(path)): \(error.text)")
  }

  /// Does something about a path; a failure is reported, and the command goes on with the next.
  ///
  /// Attempts inside each other, as in a walk down a tree, may be as deep as they like.
  public func attempt(_ path: [UInt8], _ body: () throws -> Void) throws {
    depth += 1
    defer { depth -= 1 }
    do {
      try checkCancelled()
      if depth % Context.depthPerStack == 0 {
        try Thread.onFreshStack(body)
      } else {
        try body()
      }
    } catch let error as FileError {
      try complain(path, error)
    } catch let failure as PathFailure {
      try complain(failure.path, failure.error)
    } catch let failure as CommandFailure {
      try complain(failure.message)
    }
  }

  /// The same for each of the paths.
  public func forEach(_ paths: [[UInt8]], _ body: ([UInt8]) throws -> Void) throws {
    for path in paths { try attempt(path) { try body(path) } }
  }
}

/// Standard output could not be written.
struct WriteFailure: Error {
  var error: FileError
  var isBrokenPipe: Bool { error.errno == .brokenPipe }
}
