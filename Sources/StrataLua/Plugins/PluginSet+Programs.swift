internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// Telling plugins of what programs do, while those go on.
extension PluginSet {
  /// Notes the event for who wants it; a thread of its own tells them.
  func tellLater(_ event: Event, on fork: Fork) {
    // What a handler does to the namespace is told to nobody.
    guard !gate.isMine else { return }
    let handlers = state.withLock { $0.after[event.kind] ?? [] }
    for (plugin, handler) in handlers where handler.wants(event) {
      let item = Deliveries.Item(
        event: event.seen(by: handler), fork: fork, plugin: plugin, handler: handler)
      if !startDelivering() {
        gate.enter { _ in tell(item) }
      } else if !deliveries.put(item) {
        plugin.noteDropped()
      }
    }
  }

  /// Tells what there is to tell by now, and waits for what is being told. Programs may go on.
  func catchUp() {
    guard state.withLock({ $0.delivers }), !gate.isMine else { return }
    let end = deliveries.count
    while deliverNext(upTo: end) {}
  }

  /// In the gate from the first to the last, so that who finds nothing knows that all is done.
  private func deliverNext(upTo end: Int = .max) -> Bool {
    gate.enter { _ in
      guard let item = deliveries.take(upTo: end) else { return false }
      tell(item)
      return true
    }
  }

  /// - Returns: false if there is no thread to be had.
  private func startDelivering() -> Bool {
    let isFirst = state.withLock { state in
      defer { state.delivers = true }
      return !state.delivers
    }
    guard isFirst else { return true }
    let deliveries = deliveries
    do throws(Errno) {
      try WorkerThread.start { [weak self] in
        while deliveries.wait() {
          while self?.deliverNext() == true {}
        }
      }
      return true
    } catch {
      state.withLock { $0.delivers = false }
      return false
    }
  }
}
