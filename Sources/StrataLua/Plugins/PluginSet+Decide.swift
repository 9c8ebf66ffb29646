internal import StrataEngine
internal import SystemPackage

/// The order of decision: rules, `choose`, then handlers by priority; a deny ends it.
extension PluginSet {
  func decide(_ event: Event, on fork: Fork) throws(FileError) -> Verdict {
    try gate.enter { isInside throws(FileError) in
      if isInside { return .proceed }
      let (policies, handlers) = state.withLock { ($0.policies, $0.before) }
      let isFirstWrite = event.kind == .copyUp || event.kind == .redirect
      if !isFirstWrite, policies.isEmpty,
        !(handlers[event.kind] ?? []).contains(where: { $0.1.wants(event) })
      {
        return .proceed
      }
      var decision = Decision(event: event, isFirstWrite: isFirstWrite)
      // Policies are about changes.
      let isChange = event.kind != .open && event.kind != .export
      for (plugin, policy) in policies where isChange && plugin.disabled == nil {
        try checkAllPaths(policy, of: plugin, event)
        if try apply(policy, of: plugin, to: &decision, on: fork) { break }
      }
      // A handler may change copy-up to redirect or back: then those of the new kind are asked, each
      // kind once.
      var asked: EventSet = []
      while !asked.contains(decision.event.kind) {
        let kind = decision.event.kind
        asked.formUnion(EventSet(kind: kind))
        for (plugin, handler) in handlers[kind] ?? [] where plugin.disabled == nil {
          guard handler.wants(decision.event) else { continue }
          if try !apply(handler, of: plugin, to: &decision, on: fork) { return decision.verdict }
          if decision.event.kind != kind { break }
        }
      }
      return decision.verdict
    }
  }

  struct Decision {
    /// Its kind changes with the choice, so that the handlers of the new kind are asked on.
    var event: Event
    let isFirstWrite: Bool
    var verdict = Verdict()

    mutating func choose(_ choice: FirstWrite, _ rule: String) {
      verdict.firstWrite = choice
      verdict.rule = rule
      event.kind = choice == .copyUp ? .copyUp : .redirect
      event.rule = rule
    }
  }

  // MARK: Policies

  /// What is renamed, or gets a further name, changes both paths, and with a directory all below: a rule
  /// that denies any of that denies it.
  private func checkAllPaths(
    _ policy: LuaPolicy, of plugin: Plugin, _ event: Event
  ) throws(FileError) {
    guard let newPath = event.newPath else { return }
    for path in [event.path, newPath] {
      let first = policy.rules.firstIndex { $0.matches(event, path) }
      for (index, rule) in policy.rules.enumerated() {
        guard case .deny(let error)? = rule.effect else { continue }
        if index == first
          || event.kind == .rename && rule.patterns.contains(where: { $0.isBelow(path) })
        {
          throw error.prefixed(place(of: rule, index, plugin))
        }
      }
    }
  }

  private func place(of rule: LuaPolicy.Rule, _ index: Int, _ plugin: Plugin) -> String {
    "\(plugin.fileName): rule \(index + 1) (\(rule.shown))"
  }

  /// Whether the policy has decided.
  private func apply(
    _ policy: LuaPolicy, of plugin: Plugin, to decision: inout Decision, on fork: Fork
  ) throws(FileError) -> Bool {
    if let index = policy.rule(for: decision.event) {
      let rule = policy.rules[index]
      let place = place(of: rule, index, plugin)
      if let route = rule.route, decision.isFirstWrite || decision.event.kind == .create {
        decision.verdict.route = try sideLayer(route, place)
        decision.verdict.rule = place
      }
      switch rule.effect ?? policy.write {
      case .deny(let error)?: throw error.prefixed(place)
      case .firstWrite(let choice)?:
        guard decision.isFirstWrite else { break }
        if let refusal = refusal(policy, of: plugin), policy.choose == nil,
          policy.leavesName(of: decision.event)
        {
          throw refusal
        }
        decision.choose(choice, place)
      case nil: break
      }
      return true
    }
    guard decision.isFirstWrite else { return false }
    if let choose = policy.choose {
      if try ask(choose, policy, of: plugin, &decision, on: fork) { return true }
    }
    if case .firstWrite(let choice)? = policy.write {
      decision.choose(choice, "\(plugin.fileName): policy \(policy.name)")
      return true
    }
    if let refusal = refusal(policy, of: plugin) { throw refusal }
    return false
  }

  /// What refuses where no rule decides.
  private func refusal(_ policy: LuaPolicy, of plugin: Plugin) -> FileError? {
    guard case .deny(let error)? = policy.write else { return nil }
    return FileError(error.errno, "\(plugin.fileName): policy \(policy.name)")
  }

  private func ask(
    _ choose: LuaFunction, _ policy: LuaPolicy, of plugin: Plugin, _ decision: inout Decision,
    on fork: Fork
  ) throws(FileError) -> Bool {
    let place = plugin.place(policy.line)
    let event = decision.event
    let value = try call(choose, of: plugin, event, "choose", on: fork)
    switch value.text {
    case "copy_up": decision.choose(.copyUp, "\(place): choose")
    case "redirect": decision.choose(.redirect, "\(place): choose")
    case nil:
      guard let verdict = LuaVerdict(value) else { throw invalid(value, place, "choose") }
      _ = try apply(verdict, place, to: &decision)
      if case .goOn = verdict { return false }
    default: throw invalid(value, place, "choose")
    }
    return true
  }

  // MARK: Handlers

  /// Whether to go on to the next handler.
  private func apply(
    _ handler: Handler, of plugin: Plugin, to decision: inout Decision, on fork: Fork
  ) throws(FileError) -> Bool {
    let place = plugin.place(handler.line)
    let value: LuaValue
    do throws(FileError) {
      value = try call(
        handler.function, of: plugin, decision.event.seen(by: handler), handler.name, on: fork)
    } catch {
      if handler.ignoresErrors { return true }
      throw error
    }
    guard let verdict = LuaVerdict(value) else { throw invalid(value, place, handler.name) }
    return try apply(verdict, place, to: &decision)
  }

  private func apply(
    _ verdict: LuaVerdict, _ place: String, to decision: inout Decision
  ) throws(FileError) -> Bool {
    switch verdict {
    case .goOn: return true
    case .allow: return false
    case .deny(let error): throw error.prefixed(place)
    case .firstWrite(let choice):
      guard decision.isFirstWrite else {
        throw FileError(
          .notPermitted,
          "\(place): copy_up and redirect answer a first write, not a "
            + decision.event.kind.rawValue)
      }
      decision.choose(choice, place)
    case .merge(let choice):
      guard decision.event.kind == .merge else {
        throw FileError(
          .notPermitted,
          "\(place): ours, theirs and merged answer a merge, not a "
            + decision.event.kind.rawValue)
      }
      decision.verdict.merge = choice
      decision.verdict.rule = place
      return false
    case .route(let layer):
      guard decision.isFirstWrite || decision.event.kind == .create else {
        throw FileError(
          .notPermitted,
          "\(place): route answers a first write or a create, not a "
            + decision.event.kind.rawValue)
      }
      decision.verdict.route = try sideLayer(layer, place)
      decision.verdict.rule = place
    }
    return true
  }

  private func sideLayer(_ name: String, _ place: String) throws(FileError) -> SideLayerID {
    guard let layer = workspace.sideLayer(named: name) else {
      throw FileError(.notPermitted, "\(place): there is no side layer '\(name)'")
    }
    return layer.id
  }

  private func invalid(_ value: LuaValue, _ place: String, _ what: String) -> FileError {
    FileError(.notPermitted, "\(place): \(what) returned \(value.shown), which is no verdict")
  }

  /// Calls a function with the event; a failure closes the operation.
  private func call(
    _ function: LuaFunction, of plugin: Plugin, _ event: Event, _ name: String, on fork: Fork
  ) throws(FileError) -> LuaValue {
    do throws(LuaFailure) {
      return try run(plugin, on: fork, by: event.caller) { state throws(LuaFailure) in
        try state.call(function) { EventFields.value($0, of: event, named: name) }
      }
    } catch {
      let errno: Errno = error.kind == .interrupted ? .interrupted : .notPermitted
      throw FileError(errno, error.message)
    }
  }

  // MARK: Observing

  func observe(_ event: Event, on fork: Fork) {
    let handlers = state.withLock { $0.after[event.kind] ?? [] }
    for (plugin, handler) in handlers where handler.wants(event) {
      tell(.init(event: event.seen(by: handler), fork: fork, plugin: plugin, handler: handler))
    }
  }

  func tell(_ item: Deliveries.Item) {
    guard item.plugin.disabled == nil else { return }
    _ = try? call(
      item.handler.function, of: item.plugin, item.event, item.handler.name, on: item.fork)
  }
}
