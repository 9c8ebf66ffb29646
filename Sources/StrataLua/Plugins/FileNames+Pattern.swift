internal import StrataEngine

/// A file's content and attributes are one, whatever names it has: what holds for one of them holds
/// for all.
extension FileNames {
  /// The names that one of the patterns matches. A path without wildcards is looked up, so that it
  /// need not have been before.
  func matching(_ patterns: [PathPattern]) -> [[UInt8]] {
    patterns.flatMap { pattern in
      if let path = pattern.path { return contains(path) ? [path] : [] }
      return known.filter(pattern.matches)
    }
  }

  func first(matching pattern: PathPattern) -> [UInt8]? {
    if let path = pattern.path { return contains(path) ? path : nil }
    return known.first(where: pattern.matches)
  }
}

extension Event {
  /// As a handler is shown it: with the name that its pattern matches, where the name that the caller
  /// used is not known.
  func seen(by handler: Handler) -> Event {
    guard let names else { return self }
    var event = self
    // Nobody looks for more, and they hold a state of the fork.
    event.names = nil
    guard !names.isUsed, let pattern = handler.pattern, !pattern.matches(path),
      let path = names.first(matching: pattern)
    else { return event }
    event.path = path
    return event
  }
}

extension LuaPolicy {
  /// The place of the rule that decides: the first that matches the event's path. Of a file with
  /// several names a rule that denies, and is the first for any of them, comes before that; where no
  /// rule matches the event's path, the first that matches another name decides, unless it routes: what
  /// has a name outside is not to vanish from the differences.
  func rule(for event: Event) -> Int? {
    let first = rules.firstIndex { $0.matches(event, event.path) }
    guard let names = event.names, first.map({ !denies(rules[$0]) }) ?? true else { return first }
    let refusing = rules.indices.first { index in
      let rule = rules[index]
      guard denies(rule), rule.matchesSize(event) else { return false }
      let matched = rule.patterns.isEmpty ? names.known : names.matching(rule.patterns)
      return matched.contains { path in rules.firstIndex { $0.matches(event, path) } == index }
    }
    return refusing ?? first
      ?? rules.firstIndex { rule in
        rule.route == nil && rule.matchesSize(event) && !names.matching(rule.patterns).isEmpty
      }
  }

  /// Whether a file has a name that no rule is for.
  func leavesName(of event: Event) -> Bool {
    event.names?.known.contains { path in !rules.contains { $0.matches(event, path) } } ?? false
  }

  private func denies(_ rule: Rule) -> Bool {
    if case .deny? = rule.effect ?? write { true } else { false }
  }
}
