internal import StrataEngine

/// Finds what a word could become.
struct Completer {
  let session: Session
  let place: CompletionPlace

  func candidates() -> [Completion] {
    if place.isVariable { return variables() }
    if place.followsRedirection { return paths(directoriesOnly: false) }
    if place.isHost { return place.words.isEmpty ? [] : paths(directoriesOnly: false) }
    guard let first = place.words.first else {
      let commands = names(session.commandNames)
      return place.typed.contains(slash) ? paths(directoriesOnly: false) : commands
    }
    guard let command = command(first.text) else { return paths(directoriesOnly: false) }
    return arguments(of: command)
  }

  private func command(_ name: String) -> Command? {
    if let text = session.aliases[name], let body = try? Alias.parse(text),
      let real = body.words.first?.plain
    {
      return session.commands[real.text]
    }
    return session.commands[name]
  }

  private func arguments(of command: Command) -> [Completion] {
    let before = place.words.dropFirst()
    let isOptionPlace = !before.contains([UInt8]("--"))
    if isOptionPlace, let last = before.last, let option = option(last, command),
      option.argument != nil
    {
      return candidates(of: option.completion, place.typed)
    }
    if isOptionPlace, place.typed.first == UInt8(ascii: "-") { return options(of: command) }
    var count = 0
    var isArgument = false
    for word in before {
      if isArgument {
        isArgument = false
      } else if word.first == UInt8(ascii: "-"), word.count > 1 {
        isArgument = option(word, command)?.argument != nil
      } else {
        count += 1
      }
    }
    let operands = command.operands
    guard
      let operand = count < operands.count ? operands[count] : operands.last(where: \.isRepeated)
    else { return [] }
    return candidates(of: operand.kind, place.typed)
  }

  private func option(_ word: [UInt8], _ command: Command) -> Option? {
    command.allOptions.first { option in
      word == [UInt8](option.name) || option.long.map { word == [UInt8]("--" + $0) } ?? false
    }
  }

  private func options(of command: Command) -> [Completion] {
    names(
      command.allOptions.flatMap { option in
        [option.short.map { "-\($0)" }, option.long.map { "--\($0)" }].compactMap { $0 }
      })
  }

  private func candidates(of kind: OperandKind, _ typed: [UInt8]) -> [Completion] {
    switch kind {
    case .none: []
    case .path: paths(directoriesOnly: false)
    case .directory: paths(directoriesOnly: true)
    case .hostPath: hostPaths()
    case .fork: names(session.workspace.forks.map(\.name))
    case .layer: names(session.workspace.sideLayers.map(\.name))
    case .command: names(session.commandNames)
    case .plugin: names(session.plugins.plugins.map(\.name))
    case .variable: names(Array(session.variables.keys))
    case .alias: names(Array(session.aliases.keys))
    case .words(let words): names(words)
    }
  }

  private func variables() -> [Completion] {
    let names = Array(session.variables.keys) + ["PWD", "FORK"]
    return names.filter { [UInt8]($0).starts(with: place.typed) }.sorted().map {
      Completion(replacement: [UInt8]("$" + $0), display: [UInt8]("$" + $0))
    }
  }

  private func names(_ names: [String]) -> [Completion] {
    Set(names).filter { [UInt8]($0).starts(with: place.typed) }.sorted().map {
      Completion(replacement: quoted([UInt8]($0)), display: [UInt8]($0))
    }
  }

  // MARK: Paths

  private func paths(directoriesOnly: Bool) -> [Completion] {
    let (directory, prefix) = split()
    let client = session.client
    let listed = directory.isEmpty ? [UInt8(ascii: ".")] : directory
    guard let entries = try? client.list(listed) else { return [] }
    let found = entries.map { entry -> (name: [UInt8], isDirectory: Bool) in
      let name = entry.name.bytes
      var isDirectory = entry.kind == .directory
      if entry.kind == .symlink {
        isDirectory = (try? client.attributes(directory + name))?.kind == .directory
      }
      return (name, isDirectory)
    }
    return completions(found, directory, prefix, directoriesOnly: directoriesOnly)
  }

  private func hostPaths() -> [Completion] {
    let (directory, prefix) = split()
    let host = session.host
    guard let names = try? host.list(directory.isEmpty ? [UInt8(ascii: ".")] : directory) else {
      return []
    }
    let found = names.filter { $0.starts(with: prefix) }.map { name in
      (name, (try? host.attributes(directory + name, follow: true))?.kind == .directory)
    }
    return completions(found, directory, prefix, directoriesOnly: false)
  }

  private func completions(
    _ names: [(name: [UInt8], isDirectory: Bool)], _ directory: [UInt8], _ prefix: [UInt8],
    directoriesOnly: Bool
  ) -> [Completion] {
    let dot = UInt8(ascii: ".")
    return names.filter { entry in
      entry.name.starts(with: prefix) && (entry.isDirectory || !directoriesOnly)
        && (entry.name.first != dot || prefix.first == dot)
    }.sorted { inNameOrder($0.name, $1.name) }.map { entry in
      let end = entry.isDirectory ? [slash] : []
      return Completion(
        replacement: quoted(directory + entry.name + end),
        display: Array(entry.name.shown.utf8) + end, isFinal: !entry.isDirectory)
    }
  }

  /// The typed word up to its last slash, and the rest.
  private func split() -> (directory: [UInt8], prefix: [UInt8]) {
    guard let index = place.typed.lastIndex(of: slash) else { return ([], place.typed) }
    return (Array(place.typed[...index]), Array(place.typed[(index + 1)...]))
  }
}
