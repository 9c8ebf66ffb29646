internal import StrataEngine

/// What a plugin has registered; each says where, for messages.

final class Handler: Sendable {
  let name: String
  let kind: EventKind
  let isBefore: Bool
  let pattern: PathPattern?
  /// Higher is asked earlier.
  let priority: Int64
  let ignoresErrors: Bool
  /// Whether programs do not wait for it; it misses events then.
  let dropsWhenFull: Bool
  let function: LuaFunction
  let line: Int

  init(
    name: String, kind: EventKind, isBefore: Bool, pattern: PathPattern?, priority: Int64,
    ignoresErrors: Bool, dropsWhenFull: Bool, function: LuaFunction, line: Int
  ) {
    self.name = name
    self.kind = kind
    self.isBefore = isBefore
    self.pattern = pattern
    self.priority = priority
    self.ignoresErrors = ignoresErrors
    self.dropsWhenFull = dropsWhenFull
    self.function = function
    self.line = line
  }

  @inline(__always)
  func wants(_ event: Event) -> Bool {
    guard event.kind == kind else { return false }
    guard let pattern else { return true }
    return pattern.matches(event.path) || event.newPath.map(pattern.matches) ?? false
      || event.names?.first(matching: pattern) != nil
  }
}

/// A table given to `strata.policy`.
struct LuaPolicy: Sendable {
  var name: String
  var write: RuleEffect?
  var rules: [Rule]
  var choose: LuaFunction?
  var line: Int

  struct Rule: Sendable {
    var patterns: [PathPattern]
    var minimumSize: Int64?
    var maximumSize: Int64?
    var effect: RuleEffect?
    /// A side layer's name.
    var route: String?

    /// - Parameter path: the event's, or another name of the file that it is about.
    func matches(_ event: Event, _ path: [UInt8]) -> Bool {
      matchesSize(event) && (patterns.isEmpty || patterns.contains { $0.matches(path) })
    }

    func matchesSize(_ event: Event) -> Bool {
      let size = event.size ?? 0
      return size >= minimumSize ?? .min && size <= maximumSize ?? .max
    }

    /// Patterns for a person.
    var shown: String { patterns.map(\.text).joined(separator: " ") }
  }
}

enum RuleEffect: Sendable {
  case firstWrite(FirstWrite)
  case deny(FileError)

  var shown: String {
    switch self {
    case .firstWrite(.copyUp): "copy_up"
    case .firstWrite(.redirect): "redirect"
    case .deny(let error): "deny \(ErrnoNames.name(error.errno))"
    }
  }
}

struct LuaCommand: Sendable {
  var name: String
  var summary: String
  var usage: String
  var run: LuaFunction
  var line: Int
}

struct Setting: Sendable {
  var name: String
  var value: LuaValue
  var help: String
}

/// What a handler returned.
enum LuaVerdict {
  case goOn, allow
  case deny(FileError)
  case firstWrite(FirstWrite)
  case route(String)
  case merge(MergeChoice)

  /// Nil for what is no verdict.
  init?(_ value: LuaValue) {
    if value.isNil {
      self = .goOn
      return
    }
    guard case .verdict(let table) = value else { return nil }
    switch table["verdict"].text {
    case "allow": self = .allow
    case "copy_up": self = .firstWrite(.copyUp)
    case "redirect": self = .firstWrite(.redirect(block: Int(table["block"].integer ?? 4096)))
    case "ours": self = .merge(.ours)
    case "theirs": self = .merge(.theirs)
    case "merged": self = .merge(.merged(table["content"].bytes ?? []))
    case "route": self = .route(table["layer"].text ?? "")
    case "deny":
      let errno = ErrnoNames.errno(table["errno"].text ?? "") ?? .notPermitted
      self = .deny(FileError(errno, table["reason"].text))
    default: return nil
    }
  }
}

extension Event {
  /// The other path inside the namespace that it is about.
  var newPath: [UInt8]? { kind == .rename || kind == .link ? path2 : nil }
}
