internal import StrataEngine

private let recursive = Option("r", "recursive", "directories with all that is in them")
private let preserve = Option("p", "preserve", "keep owner and times")

extension Command {
  static let copyIn = Command(
    "copy-in", .files, .changes, "copy files of the host into the namespace",
    usage: ["[-r] [-p] HOSTPATH\u{2026} PATH"],
    options: [recursive, preserve],
    operands: [Operand("HOSTPATH", .hostPath), Operand("PATH", .path, repeated: true)],
    details: "Relative host paths start where strata was started.",
    examples: []
  ) { context in
    guard context.operands.count >= 2, let target = context.operands.last else {
      throw UsageError("HOSTPATH and PATH are needed")
    }
    let sources = Array(context.operands.dropLast())
    let copy = HostImport(
      context: context, isRecursive: context.arguments.has(recursive),
      preserves: context.arguments.has(preserve))
    try context.forEach(sources) { source in
      let path = try context.target(for: source, in: target, asIs: false, count: sources.count)
      try copy.copy(source, to: context.place(path), follow: true)
    }
    return context.status
  }
}

private struct HostImport {
  let context: Context
  let isRecursive: Bool
  let preserves: Bool

  func copy(_ source: [UInt8], to target: Place, follow: Bool) throws {
    try context.checkCancelled()
    let attributes = try context.host.attributes(source, follow: follow)
    do {
      try context.announcing(.import, target, source, attributes) {
        try copy(source, attributes, to: target)
        guard preserves else { return }
        var changes = AttributeChanges(
          uid: attributes.uid, gid: attributes.gid, accessed: attributes.accessed,
          modified: attributes.modified)
        if attributes.kind != .symlink { changes.mode = attributes.mode }
        try target.client.setAttributes(target.name, changes, follow: false)
      }
    } catch let error as FileError {
      throw PathFailure(target.path, error)
    }
  }

  private func copy(_ source: [UInt8], _ attributes: Attributes, to target: Place) throws {
    switch attributes.kind {
    case .regular:
      let from = try fromHost(source) { () throws(FileError) in try context.host.open(source) }
      let to = try target.client.open(
        target.name, [.write, .truncate], create: attributes.mode & 0o777)
      var offset: Int64 = 0
      while true {
        try context.checkCancelled()
        let bytes = try fromHost(source) { () throws(FileError) in
          try from.read(FileSource.chunk, at: offset)
        }
        if bytes.isEmpty { return }
        offset += Int64(try to.write(bytes, at: offset))
      }
    case .symlink:
      try target.client.makeSymlink(
        target.name,
        target: try fromHost(source) { () throws(FileError) in try context.host.readLink(source) })
    case .directory:
      guard isRecursive else {
        throw CommandFailure("\(source.shown) is a directory; use -r")
      }
      let names = try fromHost(source) { () throws(FileError) in try context.host.list(source) }
      if (try? target.attributes(follow: true))?.kind != .directory {
        try target.client.makeDirectory(target.name, mode: attributes.mode & 0o777 | 0o700)
      }
      let inside = try target.inside()
      for name in names.sorted(by: inNameOrder) {
        let path = source.appending(component: name)
        try context.attempt(path) {
          try copy(path, to: target.child(name, inside), follow: false)
        }
      }
    default:
      throw CommandFailure(
        "\(source.shown) is a \(ModeText.name(attributes.kind)), which is not copied")
    }
  }

  private func fromHost<R>(_ path: [UInt8], _ body: () throws(FileError) -> R) throws -> R {
    do { return try body() } catch { throw PathFailure(path, error) }
  }
}
