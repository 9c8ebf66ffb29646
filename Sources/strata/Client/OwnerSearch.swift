internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataSystem

/// Finds the owner of a workspace, or starts one, and begins a session there.
enum OwnerSearch {
  /// Seconds after which nobody is to be expected any more to become the owner.
  private static let patience = 20.0

  static func connect(
    _ workspace: [UInt8], _ launch: Launch, _ place: [JSON.Member]
  ) throws(Complaint) -> (ClientConnection, JSON) {
    let limit = now() + patience
    while true {
      do throws(RemoteError) {
        let connection = try open(workspace)
        return (connection, try hello(connection, launch, place))
      } catch {
        guard isNobody(error), now() < limit else {
          throw Complaint("\(ShownName(workspace)): \(error.message)")
        }
      }
      // Nobody is there; one that is about to leave or to come has the lock for a moment.
      if try !OwnerStart.start(workspace) { usleep(5000) }
    }
  }

  /// The owner that serves a run, from inside.
  static func connect(
    _ run: RunSurroundings, _ launch: Launch
  ) throws(Complaint) -> (ClientConnection, JSON) {
    do throws(RemoteError) {
      let connection = try open(run.workspace)
      return (
        connection, try hello(connection, launch, run.place + [JSON.Member("inside", .bool(true))])
      )
    } catch {
      throw run.complaint(error.message)
    }
  }

  private static func open(_ workspace: [UInt8]) throws(RemoteError) -> ClientConnection {
    do throws(FileError) {
      return try ClientConnection(workspace: workspace)
    } catch {
      throw RemoteError(error)
    }
  }

  /// Whether an error says that no owner is there.
  private static func isNobody(_ error: RemoteError) -> Bool {
    [ENOENT, ECONNREFUSED, ECONNRESET, EPIPE].contains { Int64($0) == error.errno }
  }

  private static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private static func hello(
    _ connection: ClientConnection, _ launch: Launch, _ place: [JSON.Member]
  ) throws(RemoteError) -> JSON {
    let mask = umask(0o022)
    umask(mask)
    let params: [JSON.Member] = [
      JSON.Member("protocol", .integer(ServedSession.protocolVersion)),
      JSON.Member("version", .string(Version.current)),
      JSON.Member("cwd", .bytes(workingDirectory() ?? [UInt8(ascii: "/")])),
      JSON.Member("env", .array(Spawn.ownEnvironment.map { .bytes($0) })),
      JSON.Member("umask", .int(mask)), JSON.Member("json", .bool(launch.json)),
      JSON.Member("color", .string(launch.color.rawValue)),
      JSON.Member("plugins", .array(launch.plugins.map { .bytes($0) })),
      JSON.Member("streams", .bool(connection.isTrusted)),
    ]
    return try connection.call(
      "hello", .object(params + place), descriptors: connection.isTrusted ? [0, 1, 2] : [])
  }
}
