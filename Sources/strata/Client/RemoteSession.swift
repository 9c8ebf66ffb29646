internal import Glibc
internal import StrataEngine
internal import StrataShell

/// A session in the owner of a workspace, which is started if there is none.
final class RemoteSession: FrontSession {
  private(set) var state = FrontState()
  private let workspace: [UInt8]
  private let launch: Launch
  private var connection: ClientConnection
  private var start = FrontStart()
  private var place: [JSON.Member] = []
  private let interruption: Interruption

  init(
    workspace: [UInt8], _ launch: Launch, at place: [JSON.Member] = []
  ) throws(Complaint) {
    (self.workspace, self.launch) = (workspace, launch)
    let (connection, answer) = try OwnerSearch.connect(workspace, launch, place)
    self.connection = connection
    interruption = Interruption(connection.wire)
    connection.heed(interruption)
    take(answer)
  }

  /// A session in the fork, and at the place, of the mount that this process is in.
  convenience init(in mount: MountedPlace, _ launch: Launch) throws(Complaint) {
    try self.init(workspace: mount.workspace, launch, at: mount.place)
  }

  /// A session in the fork of the run that this process is in.
  init(in run: RunSurroundings, _ launch: Launch) throws(Complaint) {
    (self.workspace, self.launch) = (run.workspace, launch)
    let (connection, answer) = try OwnerSearch.connect(run, launch)
    self.connection = connection
    interruption = Interruption(connection.wire)
    connection.heed(interruption)
    take(answer)
  }

  /// After the owner died: a new one, and the same fork and directory as far as they are there.
  private func reconnect(_ doubt: String = "what was running may not be done") {
    Complaint("the workspace's owner died; \(doubt)").show()
    do throws(Complaint) {
      let answer: JSON
      do throws(Complaint) {
        (connection, answer) = try OwnerSearch.connect(workspace, launch, place)
      } catch {
        (connection, answer) = try OwnerSearch.connect(workspace, launch, [])
      }
      interruption.wire = connection.wire
      connection.heed(interruption)
      take(answer)
      begin(start)
    } catch {
      error.show()
      state.exitStatus = ExitStatus.failure
    }
  }

  // MARK: Working

  /// - Returns: nil if there is no answer, which a person was told.
  private func call(
    _ method: String, _ params: JSON, whenSent: () -> Void = {}
  ) -> JSON? {
    do throws(RemoteError) {
      let answer = try connection.call(method, params, whenSent: whenSent)
      take(answer)
      return answer
    } catch {
      if error == ClientConnection.lost {
        reconnect()
      } else {
        Complaint(error.message).show()
      }
      return nil
    }
  }

  /// Notes where the session stands, if the answer says so.
  private func take(_ answer: JSON) {
    guard let prompt = answer["prompt"]?.bytesValue else { return }
    state.prompt = prompt
    state.exitStatus = answer["exit"]?.integerValue.map { Int32(truncatingIfNeeded: $0) }
    state.keepsGoing = answer["keep_going"]?.boolValue ?? true
    state.isRecording = answer["recording"]?.boolValue ?? false
    place = ["fork", "path"].compactMap { name in
      answer[name].map { JSON.Member(name, $0) }
    }
  }

  func begin(_ start: FrontStart) {
    self.start = start
    _ = call(
      "begin",
      .members([
        "keep_going": .bool(start.keepsGoing),
        "arguments": .array(start.arguments.map { .bytes($0) }),
        "history": .array(start.history.map { .bytes($0) }),
      ]))
  }

  func end() {
    // If the owner is gone, so is the session.
    _ = try? connection.call("end", .object([]))
    connection.wire.close()
  }

  func run(_ source: FrontSource) -> Int32 {
    if interruption.hasCome { return ExitStatus.interrupted }
    if connection.hasEnded { reconnect("another one goes on") }
    let text =
      switch source.text {
      case .source(let text): JSON.Member("line", .bytes(text))
      case .words(let words): JSON.Member("words", .array(words.map { .bytes($0) }))
      }
    let params: [JSON.Member] = [
      text, JSON.Member("name", source.name.map { .string($0) } ?? .null),
      JSON.Member("typed", .bool(source.isTyped)), JSON.Member("stdin", .bool(source.readsInput)),
    ]
    // One that came before the owner had the line is told again.
    let answer = call("run", .object(params), whenSent: interruption.repeatIfCome)
    return answer?["status"]?.integerValue.map { Int32(truncatingIfNeeded: $0) }
      ?? ExitStatus.failure
  }

  func hasCommand(_ name: [UInt8]) -> Bool {
    call("has_command", .members(["name": .bytes(name)]))?["known"]?.boolValue ?? false
  }

  func complete(_ line: [UInt8], cursor: Int) -> (start: Int, candidates: [Completion]) {
    let params: JSON = .members(["line": .bytes(line), "cursor": .int(cursor)])
    guard let answer = try? connection.call("complete", params),
      let start = answer["start"]?.integerValue, let found = answer["candidates"]?.elements
    else { return (cursor, []) }
    let candidates = found.compactMap { item -> Completion? in
      guard let replacement = item["replacement"]?.bytesValue,
        let display = item["display"]?.bytesValue
      else { return nil }
      return Completion(
        replacement: replacement, display: display, isFinal: item["final"]?.boolValue ?? true)
    }
    return (Int(start), candidates)
  }

  func resetInterrupt() { interruption.reset() }
  var interrupt: @Sendable () -> Void { interruption.come }
}
