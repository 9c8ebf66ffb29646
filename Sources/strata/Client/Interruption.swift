internal import StrataShell
internal import Synchronization

/// Ctrl-C, on its way to the owner.
final class Interruption: Sendable {
  private let flag = Atomic(false)
  private let current: Mutex<Wire>

  init(_ wire: Wire) { current = Mutex(wire) }

  var wire: Wire {
    get { current.withLock { $0 } }
    set { current.withLock { $0 = newValue } }
  }

  var hasCome: Bool { flag.load(ordering: .sequentiallyConsistent) }
  func reset() { flag.store(false, ordering: .sequentiallyConsistent) }

  @Sendable func come() {
    flag.store(true, ordering: .sequentiallyConsistent)
    tell()
  }

  func repeatIfCome() { if hasCome { tell() } }

  /// An owner that is gone is noticed by who waits for its answer.
  private func tell() { try? wire.send(Message.request("cancel", .object([]))) }
}
