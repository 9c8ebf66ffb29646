internal import StrataEngine
internal import StrataSystem

/// Telling plugins of what programs do, while those go on.
extension PluginSet {
  /// Notes the event for who wants it; a thread of its own tells them.
  func tellLater(_ event: Event, on fork: Fork) {
    // What a handler does to the namespace is told to nobody.
    guard !gate.isMine else { return }
    let handlers = state.withLock { $0.after[event.kind] ?? [] }
    for (plugin, handler) in handlers where handler.wants(event) {
      startDelivering()
      let item = Deliveries.Item(event: event, fork: fork, plugin: plugin, handler: handler)
      if !deliveries.put(item) { plugin.noteDropped() }
    }
  }

  /// Tells what there is to tell, and waits for what is being told.
  func catchUp() {
    guard state.withLock({ $0.delivers }), !gate.isMine else { return }
    while deliverNext() {}
  }

  /// In the gate from the first to the last, so that who finds nothing knows that all is done.
  private func deliverNext() -> Bool {
    gate.enter { _ in
      guard let item = deliveries.take() else { return false }
      tell(item)
      return true
    }
  }

  private func startDelivering() {
    let isFirst = state.withLock { state in
      defer { state.delivers = true }
      return !state.delivers
    }
    guard isFirst else { return }
    let deliveries = deliveries
    // Without a thread, who seals a layer tells what has gathered.
    try? WorkerThread.start { [weak self] in
      while deliveries.wait() {
        while self?.deliverNext() == true {}
      }
    }
  }
}
