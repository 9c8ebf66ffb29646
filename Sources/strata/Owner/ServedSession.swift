internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataSystem

/// The session of one client, as its requests ask for it. Used by the connection's working thread.
final class ServedSession {
  /// The language of the socket. A client and an owner of different ones cannot work together.
  static let protocolVersion: Int64 = 1

  private unowned let connection: OwnerConnection
  private let peer: Peer
  private var session: Assembly?
  private var streams: [Descriptor] = []
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

  private func hello(
    _ params: Parameters, _ descriptors: [Descriptor]
  ) throws(RemoteError) -> JSON {
    guard session == nil else { throw RemoteError(.invalidRequest, "hello was said before") }
    let version = try params.optionalInteger("protocol") ?? Self.protocolVersion
    guard version == Self.protocolVersion else {
      let text =
        "the owner, strata \(Version.current), speaks protocol \(Self.protocolVersion), "
        + "the client \(version)"
      throw RemoteError(.refused, text)
    }
    let color = try params.optionalString("color").map { ColorChoice(rawValue: $0) }
    if color == .some(nil) { throw RemoteError(.invalidParams, "color: auto, always or never") }
    let directory = try params.optionalBytes("cwd") ?? [UInt8(ascii: "/")]
    guard directory.first == UInt8(ascii: "/") else {
      throw RemoteError(.invalidParams, "cwd: an absolute path")
    }
    if try params.optionalBool("streams") ?? false {
      guard descriptors.count == 3 else {
        throw RemoteError(.invalidParams, "streams: three descriptors come with the message")
      }
      streams = descriptors
    }
    let standpoint = Standpoint(
      directory: directory, environment: try params.optionalList("env") ?? [],
      umask: UInt32(truncatingIfNeeded: try params.optionalInteger("umask") ?? 0o022),
      streams: streams.map(\.rawValue))
    let programs: any ProgramStarter =
      streams.isEmpty
      ? LocalPrograms(inOwnGroup: true, from: standpoint) : ClientPrograms(connection)
    let host = MachineHost(standpoint, programs: programs)
    let caller = Caller(
      uid: peer.uid, gid: peer.gid, groups: peer.groups, umask: standpoint.umask, pid: peer.pid,
      command: "")
    let width = Int(clamping: try params.optionalInteger("width") ?? 80)
    let assembly = Assembly(
      connection.open, host, caller,
      Console(
        isJSON: try params.optionalBool("json") ?? false, color: (color ?? nil) ?? .auto,
        streams: consoleStreams(width: max(1, width))))
    for file in try params.optionalList("plugins") ?? [] {
      let loaded = assembly.during { Result { try connection.open.load(plugin: file, host) } }
      if case .failure(let error) = loaded {
        throw RemoteError(.failed, (error as? Complaint)?.message ?? "\(error)")
      }
    }
    session = assembly
    let cancellation = assembly.session.cancellation
    connection.setInterrupt(assembly.interrupt) { cancellation.reset() }
    // A client that went away meanwhile has not found anything to interrupt.
    if connection.isAtEnd { cancellation.cancel() }
    try go(assembly, params)
    return .object(
      [
        JSON.Member("version", .string(Version.current)),
        JSON.Member("protocol", .integer(Self.protocolVersion)),
        JSON.Member("pid", .int(getpid())),
      ] + place(assembly))
  }

  private func consoleStreams(width: Int) -> Console.Streams {
    if !streams.isEmpty { return .descriptors(streams.map(\.rawValue)) }
    return .sinks(
      output: NotificationSink(connection.wire, "output"),
      error: NotificationSink(connection.wire, "error"), width: width)
  }

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
    try go(session, params)
    let input: (any ByteSource)? =
      switch params["stdin"] {
      case .bool(true) where streams.isEmpty: ClientInput(connection)
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

  /// Goes where `fork` and `path` say, if they are there.
  private func go(_ session: Assembly, _ params: Parameters) throws(RemoteError) {
    let fork = try params.optionalString("fork")
    let path = try params.optionalBytes("path")
    do throws(FileError) {
      try session.session.go(to: fork, path)
    } catch {
      throw RemoteError(error)
    }
  }

  /// What every answer says of where the session stands.
  private func place(_ assembly: Assembly) -> [JSON.Member] {
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
