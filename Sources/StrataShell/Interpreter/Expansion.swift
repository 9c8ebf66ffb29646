internal import StrataEngine

/// Makes arguments of words: variables take their values, patterns the names that fit.
///
/// A variable's value is taken as it is: it is neither split at blanks nor read as a pattern. An
/// unquoted variable without a value, alone in its word, leaves no argument at all.
struct Expansion {
  let client: Client
  let variable: (String) -> [UInt8]?

  func arguments(_ words: [Word]) throws -> [[UInt8]] {
    var result: [[UInt8]] = []
    for word in words { result += arguments(word) }
    return result
  }

  func arguments(_ word: Word) -> [[UInt8]] {
    if word.parts.contains(where: { if case .pattern = $0 { true } else { false } }) {
      let names = PathPattern(elements(word)).expand(client)
      return names.isEmpty ? [text(word)] : names
    }
    let text = text(word)
    return text.isEmpty && !isKeptEmpty(word) ? [] : [text]
  }

  /// The word as one text, patterns as they stand: for assignments and heredocs.
  func text(_ word: Word) -> [UInt8] {
    var bytes: [UInt8] = []
    for part in word.parts {
      switch part {
      case .text(let text), .quoted(let text), .pattern(let text): bytes += text
      case .variable(let name, _): bytes += variable(name) ?? []
      }
    }
    return bytes
  }

  private func isKeptEmpty(_ word: Word) -> Bool {
    word.parts.contains { part in
      switch part {
      case .quoted, .variable(_, isQuoted: true): true
      default: false
      }
    }
  }

  private func elements(_ word: Word) -> [GlobPattern.Element] {
    var elements: [GlobPattern.Element] = []
    for part in word.parts {
      switch part {
      case .text(let text), .quoted(let text): elements += text.map { .byte($0) }
      case .variable(let name, _): elements += (variable(name) ?? []).map { .byte($0) }
      case .pattern(let pattern):
        switch pattern.first {
        case UInt8(ascii: "*"): elements.append(.any)
        case UInt8(ascii: "?"): elements.append(.one)
        default: elements.append(GlobPattern.set(Array(pattern.dropFirst().dropLast())))
        }
      }
    }
    return elements
  }
}

/// A pattern for paths: one for each name, and `**` for any number of directories.
struct PathPattern {
  private enum Step {
    case name([UInt8])
    case pattern(GlobPattern)
    case directories
  }

  private var steps: [Step] = []
  private var isAbsolute = false
  private var endsInSlash = false

  init(_ elements: [GlobPattern.Element]) {
    let slash = GlobPattern.Element.byte(slash)
    isAbsolute = elements.first == slash
    endsInSlash = elements.last == slash
    for part in elements.split(separator: slash) {
      let pattern = GlobPattern(elements: Array(part))
      if pattern.elements == [.any, .any] {
        steps.append(.directories)
      } else if let name = pattern.literal {
        steps.append(.name(name))
      } else {
        steps.append(.pattern(pattern))
      }
    }
  }

  /// The paths that fit, in the order of their bytes. What may not be listed does not fit.
  func expand(_ client: Client) -> [[UInt8]] {
    var found: Set<[UInt8]> = []
    walk(isAbsolute ? [slash] : [], steps[...], client, depth: 0, &found)
    return found.sorted(by: inNameOrder)
  }

  private func walk(
    _ path: [UInt8], _ steps: ArraySlice<Step>, _ client: Client, depth: Int,
    _ found: inout Set<[UInt8]>
  ) {
    guard let step = steps.first else {
      guard !path.isEmpty, (try? client.resolve(path, follow: endsInSlash)) != nil else { return }
      if !endsInSlash {
        found.insert(path)
      } else if (try? client.attributes(path))?.kind == .directory {
        found.insert(path.appending(component: []))
      }
      return
    }
    let rest = steps.dropFirst()
    switch step {
    case .name(let name):
      walk(path.appending(component: name), rest, client, depth: depth, &found)
    case .pattern(let pattern):
      let showsHidden = pattern.elements.first == .byte(UInt8(ascii: "."))
      for name in names(path, client, showsHidden) where pattern.matches(name.bytes) {
        walk(path.appending(component: name.bytes), rest, client, depth: depth, &found)
      }
    case .directories:
      walk(path, rest, client, depth: depth, &found)
      if rest.isEmpty, !path.isEmpty { found.insert(path) }
      guard depth < 1000, let entries = try? client.list(path.isEmpty ? [UInt8(ascii: ".")] : path)
      else { return }
      for entry in entries where entry.name.bytes.first != UInt8(ascii: ".") {
        let next = path.appending(component: entry.name.bytes)
        if entry.kind == .directory {
          walk(next, steps, client, depth: depth + 1, &found)
        } else if rest.isEmpty {
          found.insert(next)
        }
      }
    }
  }

  private func names(_ path: [UInt8], _ client: Client, _ showsHidden: Bool) -> [Name] {
    guard let entries = try? client.list(path.isEmpty ? [UInt8(ascii: ".")] : path) else {
      return []
    }
    return entries.map(\.name).filter { showsHidden || $0.bytes.first != UInt8(ascii: ".") }
  }
}
