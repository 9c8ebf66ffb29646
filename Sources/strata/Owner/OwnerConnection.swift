internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataSystem
internal import Synchronization
internal import SystemPackage

/// A client's connection: one thread takes its messages, another does what they ask for, in order.
final class OwnerConnection: Sendable {
  /// Requests that may wait; a client that sends more waits for them.
  private static let mostWaiting = 64

  let wire: Wire
  let open: OpenWorkspace
  private let occupancy: Occupancy
  private let state = Mutex(State())
  private let calls: RemoteCalls
  private let arrived = Turn()
  private let taken = Turn()

  private struct State: Sendable {
    var requests: [Request] = []
    var isAtEnd = false
    /// Requests that wait or are worked on.
    var busy = 0
    var interrupt: (@Sendable () -> Void)?
    var resetInterrupt: (@Sendable () -> Void)?
  }

  struct Request: Sendable {
    /// Nil for a notification.
    var id: JSON?
    var method: String
    var params: JSON
    var descriptors: [Descriptor]
  }

  init(_ wire: Wire, _ open: OpenWorkspace, _ occupancy: Occupancy) {
    (self.wire, self.open, self.occupancy) = (wire, open, occupancy)
    calls = RemoteCalls(wire)
  }

  /// Begins to serve, in threads of its own.
  func start() {
    occupancy.retain()
    do throws(FileError) {
      let peer = try self.peer()
      guard peer.uid == geteuid() || peer.uid == 0 else {
        let text = "the workspace is user \(geteuid())'s, and not for user \(peer.uid)"
        answer(.null, .failure(RemoteError(.refused, text)))
        return end()
      }
      try Thread { [self] in
        work(for: peer)
        end()
      }.detach()
    } catch {
      answer(.null, .failure(RemoteError(error)))
      return end()
    }
    do throws(FileError) {
      try Thread { [self] in receive() }.detach()
    } catch {
      answer(.null, .failure(RemoteError(error)))
      // By this, the working thread comes to its end.
      noteEnd()
    }
  }

  private func peer() throws(FileError) -> Peer {
    do throws(Errno) { return try wire.socket.peer() } catch { throw FileError(error) }
  }

  private func end() {
    wire.close()
    occupancy.release()
  }

  func answer(_ id: JSON, _ result: Result<JSON, RemoteError>) {
    // A client that is gone is noticed by who reads from it.
    try? wire.send(Message.answer(id, result))
  }

  /// What ``cancel`` is to do, from any thread, and what the next request undoes of it.
  func setInterrupt(
    _ interrupt: @escaping @Sendable () -> Void, reset: @escaping @Sendable () -> Void
  ) {
    state.withLock { ($0.interrupt, $0.resetInterrupt) = (interrupt, reset) }
  }

  /// Whether the client is gone.
  var isAtEnd: Bool { state.withLock { $0.isAtEnd } }

  /// Asks the client for something, and waits.
  /// - Throws: ECONNRESET if it goes away meanwhile; what the client says.
  func call(
    _ method: String, _ params: JSON, descriptors: [Int32] = []
  ) throws(FileError) -> JSON {
    try calls.call(method, params, descriptors: descriptors)
  }

  // MARK: The receiving thread

  private func receive() {
    var reader = WireReader(wire)
    while true {
      let line: WireReader.Line?
      do throws(FileError) { line = try reader.next() } catch { break }
      guard let line else { break }
      switch line {
      case .tooLong:
        let text = "a line has \(Wire.longestLine) bytes at the most"
        answer(.null, .failure(RemoteError(.invalidRequest, text)))
      case .text(let bytes):
        take(Message(bytes), &reader)
      }
    }
    noteEnd()
  }

  private func take(_ message: Message, _ reader: inout WireReader) {
    switch message {
    case .invalid(let id, let error): answer(id, .failure(error))
    case .response(let id, let result): calls.take(id, result)
    case .request(let id, "cancel", _):
      let interrupt = state.withLock { $0.busy > 0 ? $0.interrupt : nil }
      interrupt?()
      if let id { answer(id, .success(.object([]))) }
    case .request(let id, let method, let params):
      let request = Request(
        id: id, method: method, params: params, descriptors: reader.descriptors)
      reader.descriptors = []
      let (isFull, reset) = state.withLock { state in
        state.requests.append(request)
        state.busy += 1
        return (
          state.requests.count > Self.mostWaiting, state.busy == 1 ? state.resetInterrupt : nil
        )
      }
      // Here and not when it begins: a cancel right behind it counts.
      reset?()
      arrived.give()
      if isFull { taken.wait() }
    }
  }

  private func noteEnd() {
    let interrupt = state.withLock { state in
      state.isAtEnd = true
      return state.interrupt
    }
    interrupt?()
    calls.end()
    arrived.give()
  }

  // MARK: The working thread

  private func work(for peer: Peer) {
    let served = ServedSession(self, peer)
    while let request = nextRequest() {
      let result: Result<JSON, RemoteError>
      do throws(RemoteError) {
        result = .success(try served.answer(to: request))
      } catch {
        result = .failure(error)
      }
      state.withLock { $0.busy -= 1 }
      if let id = request.id { answer(id, result) }
    }
    served.end()
  }

  private func nextRequest() -> Request? {
    while true {
      let (request, isAtEnd, wasFull) = state.withLock { state in
        let wasFull = state.requests.count > Self.mostWaiting
        // Of a client that is gone, nothing more is done.
        if state.isAtEnd { return (Request?.none, true, wasFull) }
        return (state.requests.isEmpty ? nil : state.requests.removeFirst(), false, wasFull)
      }
      if wasFull { taken.give() }
      if request != nil || isAtEnd { return request }
      arrived.wait()
    }
  }
}
