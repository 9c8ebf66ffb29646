internal import StrataEngine
internal import SystemPackage

extension Command {
  static let source = Command(
    "source", .session, .manages, "run the commands in a file",
    usage: ["FILE"], operands: [Operand("FILE", .path)],
    details: "FILE is looked for in the namespace first, and then on the host.",
    examples: ["write /script echo from a script", "source /script", "rm /script"]
  ) { context in
    let paths = try context.requiredOperands("the FILE to run")
    guard paths.count == 1 else { throw UsageError("one FILE, and no arguments") }
    let session = context.session
    guard session.depth < 100 else { throw CommandFailure("source is too deep in source") }
    let text = try context.readScript(paths[0])
    try context.flush()
    return session.run(text, output: context.output, input: context.input, name: paths[0].shown)
  }
}

extension Context {
  /// A script or plugin: from the namespace, or from the host if it is not there.
  func readScript(_ path: [UInt8]) throws(PathFailure) -> [UInt8] {
    do throws(FileError) {
      return try FileSource(try openForReading(path)).readToEnd()
    } catch {
      guard error.errno == .noSuchFileOrDirectory || error.errno == .notDirectory else {
        throw PathFailure(path, error)
      }
      do throws(FileError) {
        let file = try host.open(path)
        var text: [UInt8] = []
        while true {
          let bytes = try file.read(FileSource.chunk, at: Int64(text.count))
          if bytes.isEmpty { return text }
          text += bytes
        }
      } catch {
        throw PathFailure(path, error)
      }
    }
  }
}
