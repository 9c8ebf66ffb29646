internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataStorage
internal import StrataSystem
internal import Synchronization
internal import SystemPackage

/// A connection to a workspace's owner. One thread calls, and does meanwhile what the owner asks
/// for; ``cancel()`` may come from any.
final class ClientConnection {
  /// What a client's answer is no longer waited for: the owner is gone.
  static let lost = RemoteError(FileError(.connectionReset))

  let wire: Wire
  /// Whether the owner may have our streams, and have programs started: it is the same user's, or
  /// the superuser's.
  let isTrusted: Bool
  private var reader: WireReader
  private var last: Int64 = 0
  private var requests: ClientRequests

  /// - Throws: ENOENT or ECONNREFUSED where there is no owner; EPERM for one of another user.
  init(workspace: [UInt8]) throws(FileError) {
    do throws(Errno) {
      let directory = try Descriptor(path: workspace, [.path, .directory])
      wire = Wire(try directory.connect(to: OwnerProcess.socketName))
      let owner = try wire.socket.peer().uid
      isTrusted = owner == geteuid() || owner == 0
    } catch {
      throw FileError(error)
    }
    guard isTrusted || geteuid() == 0 else {
      throw FileError(.notPermitted, saying: "another user's process listens there")
    }
    reader = WireReader(wire, longest: 1 << 30)
    requests = ClientRequests(isTrusted: isTrusted, wire)
  }

  /// Has what the owner asks for end where somebody wants it.
  func heed(_ interruption: Interruption) {
    requests.isInterrupted = {
      guard interruption.hasCome else { return false }
      interruption.repeatIfCome()
      return true
    }
  }

  /// Whether the owner is known to be gone: nothing that is asked now would be done.
  var hasEnded: Bool { wire.hasEnded }

  /// - Throws: ``lost`` when the owner is gone; what it answers.
  func call(
    _ method: String, _ params: JSON, descriptors: [Int32] = [], whenSent: () -> Void = {}
  ) throws(RemoteError) -> JSON {
    last += 1
    let id = last
    do throws(FileError) {
      try wire.send(Message.request(method, params, id: id), descriptors: descriptors)
    } catch {
      // One that is gone may have said why before; else nothing was asked.
      guard [.brokenPipe, .connectionReset].contains(error.errno) else { throw RemoteError(error) }
      return try answer(to: id)
    }
    whenSent()
    return try answer(to: id)
  }

  private func answer(to id: Int64) throws(RemoteError) -> JSON {
    while true {
      switch try next() {
      case .response(id, let result): return try result.get()
      case .response: continue
      case .request(let request, let method, let params):
        let result = requests.answer(method, params, reader.descriptors)
        reader.descriptors = []
        if let request { try? wire.send(Message.answer(request, result)) }
      case .invalid(_, let error): throw error
      }
    }
  }

  private func next() throws(RemoteError) -> Message {
    let line: WireReader.Line?
    do throws(FileError) { line = try reader.next() } catch { throw Self.lost }
    guard case .text(let bytes) = line else { throw Self.lost }
    return Message(bytes)
  }
}
