internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataSystem

extension ServedSession {
  /// Makes the session: what the client is, and what it sees the machine from.
  func hello(
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
      streams: streams.map(\.rawValue), isInside: try params.optionalBool("inside") ?? false)
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
    try go(assembly, fork: try params.optionalString("fork"))
    let here = connection.open.namespacePath(of: directory)
    let given = try params.optionalBytes("path")
    assembly.session.hasGivenPlace = given != nil
    if let path = given ?? here { assembly.session.go(near: path) }
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
}
