internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataSystem

/// The session of one client, as its requests ask for it. Used by the connection's working thread.
final class ServedSession {
  /// The language of the socket. A client and an owner of different ones cannot work together.
  static let protocolVersion: Int64 = 1

  unowned let connection: OwnerConnection
  let peer: Peer
  var session: Assembly?
  var streams: [Descriptor] = []
  private var hasBegun = false

  init(_ connection: OwnerConnection, _ peer: Peer) {
    (self.connection, self.peer) = (connection, peer)
  }

  func answer(to request: OwnerConnection.Request) throws(RemoteError) -> JSON {
    let params = Parameters(request.params)
    if request.method == "hello" { return try hello(params, request.descriptors) }
    guard Self.methods.contains(request.method) else {
      throw RemoteError(.unknownMethod, "no method \(request.method)")
    }
    guard let session else { throw RemoteError(.invalidRequest, "hello comes first") }
    switch request.method {
    case "begin": return try begin(session, params)
    case "end":
      end()
      return .object([])
    case "run": return try run(session, params)
    case "complete": return try complete(session, params)
    case "needs_more":
      return .members(["more": .bool(Session.needsMore(try params.bytes("text")))])
    default:
      return .members(["known": .bool(session.hasCommand(try params.bytes("name")))])
    }
  }

  private static let methods: Set = [
    "begin", "end", "run", "complete", "needs_more", "has_command",
  ]

  /// The session is over, and the client's streams are let go.
  func end() {
    if hasBegun { session?.end() }
    session = nil
    streams = []
    hasBegun = false
  }

  // MARK: Methods

  private func begin(_ session: Assembly, _ params: Parameters) throws(RemoteError) -> JSON {
    guard !hasBegun else { throw RemoteError(.invalidRequest, "begun before") }
    hasBegun = true
    session.begin(
      FrontStart(
        keepsGoing: try params.optionalBool("keep_going") ?? true,
        arguments: try params.optionalList("arguments") ?? [],
        history: try params.optionalList("history") ?? []))
    return .object(place(session))
  }

  private func run(_ session: Assembly, _ params: Parameters) throws(RemoteError) -> JSON {
    if !hasBegun { _ = try begin(session, Parameters(.object([]))) }
    let line = try params.optionalBytes("line")
    let words = try params.optionalList("words")
    let text: FrontSource.Text
    switch (line, words) {
    case (let line?, nil): text = .source(line)
    case (nil, let words?): text = .words(words)
    default: throw RemoteError(.invalidParams, "either line or words")
    }
    try go(
      session, fork: try params.optionalString("fork"), path: try params.optionalBytes("path"))
    let input: (any ByteSource)? =
      switch params["stdin"] {
      case .bool(true) where streams.isEmpty: ClientInput(connection)
      case .bool(true) where isatty(streams[0].rawValue) == 1:
        ClientInput(connection, isTerminal: true)
      case .bool(true): session.input
      case nil, .null, .bool(false): nil
      default: MemorySource(try params.bytes("stdin"))
      }
    let status = session.run(
      FrontSource(
        text: text, name: try params.optionalString("name"),
        isTyped: try params.optionalBool("typed") ?? false),
      input: input, isJSON: try params.optionalBool("json"))
    return .object([JSON.Member("status", .int(status))] + place(session))
  }

  private func complete(_ session: Assembly, _ params: Parameters) throws(RemoteError) -> JSON {
    let line = try params.bytes("line")
    let cursor = try params.optionalInteger("cursor") ?? Int64(line.count)
    let (start, candidates) = session.complete(line, cursor: Int(clamping: cursor))
    return .members([
      "start": .int(start),
      "candidates": .array(
        candidates.map {
          .members([
            "replacement": .bytes($0.replacement), "display": .bytes($0.display),
            "final": .bool($0.isFinal),
          ])
        }),
    ])
  }

  /// Goes to a fork and a directory, if they are there.
  func go(
    _ session: Assembly, fork: String?, path: [UInt8]? = nil
  ) throws(RemoteError) {
    do throws(FileError) {
      try session.session.go(to: fork, path)
    } catch {
      throw RemoteError(error)
    }
  }

  /// What every answer says of where the session stands.
  func place(_ assembly: Assembly) -> [JSON.Member] {
    let state = assembly.state
    return [
      JSON.Member("fork", .string(assembly.session.fork.name)),
      JSON.Member("path", .bytes(assembly.session.path)),
      JSON.Member("prompt", .bytes(state.prompt)),
      JSON.Member("exit", state.exitStatus.map { .int($0) } ?? .null),
      JSON.Member("keep_going", .bool(state.keepsGoing)),
      JSON.Member("recording", .bool(state.isRecording)),
    ]
  }
}
