internal import StrataEngine
internal import Synchronization

/// Several mounts of one fork.
extension Server {
  /// From now on the kernel asks every time, and what it has been told until now holds no longer.
  func shares(_ isShared: Bool) {
    guard isShared, !others.areThere else { return others.come(isShared) }
    others.come(true)
    Notification.newEpoch.send(on: device)
    Notification.attributesChanged(NodeID.root.rawValue).send(on: device)
    for number in nodes.all { Notification.attributesChanged(number).send(on: device) }
  }

  /// After a request that may have changed content without changing a size.
  func tellOthers(_ opcode: Opcode, _ request: Request) {
    let number: UInt64
    switch opcode {
    case .setAttributes:
      guard let valid = try? request.word(0), SetFlags(rawValue: valid).contains(.size)
      else { return }
      number = request.node
    case .write, .allocate: number = request.node
    case .copyRange: number = (try? request.long(16)) ?? request.node
    default: return
    }
    if let node = nodes.current(number) { fork.contentChanged(node, by: self) }
  }

  func contentChanged(_ node: NodeID) {
    for number in nodes.numbers(of: node) { others.send(.changed(number), on: device) }
  }
}
