package import StrataEngine

/// What `diff` compares: `FORK`, `FORK@OPERATION`, `@OPERATION` of this fork, or `base`.
struct TreeName {
  var label: String
  var value: Namespace

  init(_ text: [UInt8], _ context: Context) throws {
    let parts = text.text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(parts[0])
    if parts.count == 1, name == "base", context.workspace.fork(named: name) == nil {
      label = name
      value = context.workspace.main.origin
      return
    }
    let fork = name.isEmpty ? context.fork : try context.fork(named: [UInt8](name))
    guard parts.count == 2 else {
      label = fork.name
      value = fork.value
      return
    }
    guard let id = UInt64(parts[1]) else {
      throw UsageError("\(text.shown): an operation is a number, as log shows it")
    }
    guard let operation = (fork.history + fork.undone).first(where: { $0.id == id }) else {
      throw CommandFailure("operation \(id) is not in the log of \(fork.name)")
    }
    label = "\(fork.name)@\(id)"
    value = operation.after
  }
}

extension Context {
  /// - Throws: ``CommandFailure`` with a guess, if there is no such fork.
  package func fork(named name: [UInt8]) throws(CommandFailure) -> Fork {
    if let fork = workspace.fork(named: name.text) { return fork }
    let names = workspace.forks.map(\.name)
    throw CommandFailure("no fork \(name.shown)\(didYouMean(name.text, among: names))")
  }

  /// The fork of a name, made from the current one if it is not there.
  package func fork(
    madeAs name: String
  ) throws(FileError) -> (fork: Fork, isNew: Bool) {
    if let fork = workspace.fork(named: name) { return (fork, false) }
    return (try workspace.fork(fork, named: name, by: session.caller), true)
  }
}

extension Change {
  /// `A M m D R T`, as `diff --name-status` shows it.
  var letter: String {
    switch kind {
    case .added: "A"
    case .removed: "D"
    case .modified: "M"
    case .metadata: "m"
    case .renamed: "R"
    case .typeChanged: "T"
    }
  }

  package func statusLine(_ style: Style) -> String {
    let mark = fileKind == .directory ? "/" : ""
    let text = "\(letter) " + (oldPath.map { "\($0.shown)\(mark) -> " } ?? "") + path.shown + mark
    switch kind {
    case .added: return style.green(text)
    case .removed: return style.red(text)
    case .renamed: return style.cyan(text)
    default: return style.yellow(text)
    }
  }

  package var json: JSON {
    var members = [
      JSON.Member("kind", .string(kind.rawValue)), JSON.Member("path", .bytes(path)),
    ]
    if let oldPath { members.append(JSON.Member("old_path", .bytes(oldPath))) }
    members.append(JSON.Member("node", .int(node.rawValue)))
    members.append(JSON.Member("file_kind", .string(fileKind.word)))
    if let oldFileKind { members.append(JSON.Member("old_file_kind", .string(oldFileKind.word))) }
    if let oldSize { members.append(JSON.Member("old_size", .int(oldSize))) }
    if let newSize { members.append(JSON.Member("new_size", .int(newSize))) }
    members.append(JSON.Member("bytes", .int(bytes)))
    return .object(members)
  }
}

/// `2 added, 1 removed`, in the order of the kinds.
func changeSummary(_ changes: [Change]) -> String {
  let words: [(Change.Kind, String)] = [
    (.added, "added"), (.removed, "removed"), (.modified, "modified"), (.metadata, "metadata only"),
    (.renamed, "renamed"), (.typeChanged, "of another type"),
  ]
  return words.compactMap { kind, word in
    let count = changes.count { $0.kind == kind }
    return count == 0 ? nil : "\(count) \(word)"
  }.joined(separator: ", ")
}
