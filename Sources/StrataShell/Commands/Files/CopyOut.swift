internal import StrataEngine
internal import SystemPackage

private let recursive = Option("r", "recursive", "directories with all that is in them")
private let preserve = Option("p", "preserve", "keep owner and times")

extension Command {
  static let copyOut = Command(
    "copy-out", .files, .reads, "copy files of the namespace to the host",
    usage: ["[-r] [-p] PATH\u{2026} HOSTPATH"],
    options: [recursive, preserve],
    operands: [Operand("PATH", .path), Operand("HOSTPATH", .hostPath, repeated: true)],
    details: "Relative host paths start where strata was started. A file that is there already is "
      + "replaced.",
    examples: []
  ) { context in
    guard context.operands.count >= 2, let target = context.operands.last else {
      throw UsageError("PATH and HOSTPATH are needed")
    }
    let sources = context.operands.dropLast()
    let isDirectory = (try? context.host.attributes(target, follow: true))?.kind == .directory
    guard isDirectory || sources.count == 1 else {
      throw PathFailure(target, .notDirectory)
    }
    let copy = HostExport(
      context: context, isRecursive: context.arguments.has(recursive),
      preserves: context.arguments.has(preserve))
    try context.forEach(Array(sources)) { source in
      let path = isDirectory ? target.appending(component: source.lastComponent) : target
      try copy.copy(context.place(source), to: path, follow: true)
    }
    return context.status
  }
}

private struct HostExport {
  let context: Context
  let isRecursive: Bool
  let preserves: Bool

  func copy(_ source: Place, to target: [UInt8], follow: Bool) throws {
    try context.checkCancelled()
    let attributes = try source.attributes(follow: follow)
    try context.announcing(.export, source, target, attributes) {
      try copy(source, attributes, to: target)
    }
  }

  private func copy(_ source: Place, _ attributes: Attributes, to target: [UInt8]) throws {
    switch attributes.kind {
    case .regular:
      let from = try source.client.open(source.name, [.read])
      let to = try toHost(target) { () throws(FileError) in
        try context.host.create(target, mode: attributes.mode & 0o777)
      }
      try copy(from, to: to, target)
    case .symlink:
      let text = try source.client.readLink(source.name)
      try toHost(target) { () throws(FileError) in
        try context.host.makeSymlink(target, target: text)
      }
    case .directory:
      guard isRecursive else {
        throw CommandFailure("\(source.path.shown) is a directory; use -r")
      }
      try toHost(target) { () throws(FileError) in
        do throws(FileError) {
          try context.host.makeDirectory(target, mode: attributes.mode & 0o777 | 0o700)
        } catch {
          guard error.errno == .fileExists,
            try context.host.attributes(target, follow: true).kind == .directory
          else { throw error }
        }
      }
      for child in try source.children() {
        try context.attempt(child.path) {
          try copy(child, to: target.appending(component: child.name), follow: false)
        }
      }
    default:
      throw CommandFailure(
        "\(source.path.shown) is a \(ModeText.name(attributes.kind)), which is not copied")
    }
    guard preserves else { return }
    var changes = AttributeChanges(
      uid: attributes.uid, gid: attributes.gid, accessed: attributes.accessed,
      modified: attributes.modified)
    if attributes.kind != .symlink { changes.mode = attributes.mode }
    try toHost(target) { () throws(FileError) in try context.host.setAttributes(target, changes) }
  }

  private func copy(_ source: OpenFile, to file: any HostFile, _ target: [UInt8]) throws {
    var offset: Int64 = 0
    while true {
      try context.checkCancelled()
      let bytes = try source.read(FileSource.chunk, at: offset)
      if bytes.isEmpty { break }
      try toHost(target) { () throws(FileError) in try file.write(bytes, at: offset) }
      offset += Int64(bytes.count)
    }
    try toHost(target) { () throws(FileError) in try file.finish() }
  }

  private func toHost<R>(_ path: [UInt8], _ body: () throws(FileError) -> R) throws -> R {
    do { return try body() } catch { throw PathFailure(path, error) }
  }
}
