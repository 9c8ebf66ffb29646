internal import StrataEngine

extension Session {
  /// Runs source: one line, several, or a whole script.
  ///
  /// A cancellation from before holds: who reads the lines resets it, before asking for one, so that
  /// a Ctrl-C right behind a line counts.
  ///
  /// - Parameters:
  ///   - input: what commands read that are given no file.
  ///   - name: where the source is from, for messages about its grammar and where it stopped; nil for a
  ///     typed line.
  /// - Returns: the status of the last command; that of `exit`, if it was called.
  public func run(
    _ source: [UInt8], output: Output, input: any ByteSource = MemorySource(), name: String? = nil
  ) -> Int32 {
    depth += 1
    defer { depth -= 1 }
    let script: Script
    do {
      script = try Parser.parse(source)
    } catch {
      let place = name.map { "\($0): " } ?? ""
      let message = Array("strata: \(place)\(error.text(in: source))\n".utf8)
      lastStatus = step(source, output) { output in
        try? output.standardError.write(message)
        return ExitStatus.usage
      }
      return lastStatus
    }
    lastStatus = Runner(session: self, source: source, output: output, input: input)
      .run(script, name: name)
    do throws(FileError) {
      // Durable when the prompt returns, all of a script's commands in one go.
      if depth == 1 { try workspace.checkpoint(tellsFailures: false) }
    } catch {
      let hint = error.isLackOfRoom ? "; undo it, or free space on the disk" : ""
      try? output.standardError.write(Array("strata: not saved: \(error.text)\(hint)\n".utf8))
      if lastStatus == ExitStatus.success { lastStatus = ExitStatus.failure }
    }
    return lastStatus
  }

  /// Runs words that are already apart, as from a program's arguments.
  public func run(
    arguments words: [[UInt8]], output: Output, input: any ByteSource = MemorySource()
  ) -> Int32 {
    let line = words.map(quoted).joined(separator: CollectionOfOne(0x20))
    return run(Array(line), output: output, input: input)
  }

  /// Whether the source wants another line: an open quote, a heredoc, a trailing `|`.
  public static func needsMore(_ source: [UInt8]) -> Bool { Parser.needsMore(source) }

  /// Tells plugins that the session begins, and in ``end()`` that it ends.
  public func begin() { tell(.sessionStart) }
  public func end() { tell(.sessionEnd) }

  /// A variable's value: `?`, `PWD` and `FORK` are the session's, others are set or the host's.
  func value(of name: String) -> [UInt8]? {
    switch name {
    case "?": [UInt8](String(lastStatus))
    case "PWD": path
    case "FORK": [UInt8](fork.name)
    default: variables[name] ?? host.environment(name)
    }
  }

  /// All that can stand first on a line.
  var commandNames: [String] {
    (commands.names + plugins.commands.map(\.name) + aliases.keys).sorted()
  }
}

/// A word that the grammar reads as these bytes.
func quoted(_ bytes: [UInt8]) -> [UInt8] {
  let isPlain = bytes.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "."),
      UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: ","),
      UInt8(ascii: ":"), UInt8(ascii: "="), UInt8(ascii: "@"), UInt8(ascii: "%"):
      true
    default: byte >= 0x80
    }
  }
  if isPlain, !bytes.isEmpty, String(validating: bytes, as: UTF8.self) != nil { return bytes }
  let isText =
    String(validating: bytes, as: UTF8.self)
    .map { !$0.unicodeScalars.contains(where: ShownName.isUnfit) } ?? false
  guard isText, !bytes.contains(UInt8(ascii: "'")) else {
    return Array(ShownName.escaped(bytes).utf8)
  }
  return [UInt8(ascii: "'")] + bytes + [UInt8(ascii: "'")]
}
