internal import StrataEngine

/// What `find` looks for.
indirect enum FindExpression {
  case always
  case name(GlobPattern, ignoresCase: Bool)
  case path(GlobPattern)
  case kinds([FileKind])
  /// In units, rounded up, compared as the sign says.
  case size(Int64, unit: Int64, Comparison)
  case modified(after: Timestamp)
  case empty
  case mode(UInt32, isAll: Bool)
  case changed
  case print(separator: UInt8)
  case delete
  case not(FindExpression)
  case and(FindExpression, FindExpression)
  case or(FindExpression, FindExpression)

  enum Comparison { case less, equal, more }

  /// Whether it says itself what is to be done with what is found.
  var acts: Bool {
    switch self {
    case .print, .delete: true
    case .not(let a): a.acts
    case .and(let a, let b), .or(let a, let b): a.acts || b.acts
    default: false
    }
  }

  var deletes: Bool {
    switch self {
    case .delete: true
    case .not(let a): a.deletes
    case .and(let a, let b), .or(let a, let b): a.deletes || b.deletes
    default: false
    }
  }

  /// - Parameter print: lists what is found, with the separator behind its name.
  func matches(
    _ place: Place, _ attributes: Attributes, _ context: Context,
    print: (_ separator: UInt8) throws -> Void
  ) throws -> Bool {
    switch self {
    case .always: return true
    case .name(let pattern, let ignoresCase):
      return pattern.matches(place.path.lastComponent, ignoringCase: ignoresCase)
    case .path(let pattern): return pattern.matches(place.path)
    case .kinds(let kinds): return kinds.contains(attributes.kind)
    case .size(let count, let unit, let comparison):
      let units = (attributes.size + unit - 1) / unit
      switch comparison {
      case .less: return units < count
      case .equal: return units == count
      case .more: return units > count
      }
    case .modified(let time): return attributes.modified > time
    case .empty:
      switch attributes.kind {
      case .regular: return attributes.size == 0
      case .directory: return try place.children().isEmpty
      default: return false
      }
    case .mode(let mode, let isAll):
      return isAll ? attributes.mode & mode == mode : attributes.mode == mode
    case .changed: return context.fork.owner(of: attributes.node) != nil
    case .print(let separator):
      try print(separator)
      return true
    case .delete:
      if attributes.kind == .directory {
        try place.client.removeDirectory(place.name)
      } else {
        try place.client.unlink(place.name)
      }
      return true
    case .not(let a): return try !a.matches(place, attributes, context, print: print)
    case .and(let a, let b):
      return try a.matches(place, attributes, context, print: print)
        && b.matches(place, attributes, context, print: print)
    case .or(let a, let b):
      return try a.matches(place, attributes, context, print: print)
        || b.matches(place, attributes, context, print: print)
    }
  }
}
