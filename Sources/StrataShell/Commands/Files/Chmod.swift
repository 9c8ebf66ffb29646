internal import StrataEngine

private let recursive = Option("R", "recursive", "directories with all that is in them")
private let verbose = Option("v", "verbose", "say what is changed")

extension Command {
  static let chmod = Command(
    "chmod", .files, .changes, "change permissions",
    usage: ["[-R] [-v] MODE PATH\u{2026}"],
    options: [recursive, verbose],
    operands: [Operand("MODE", .none), Operand("PATH", .path, repeated: true)],
    details: "MODE is a number in base 8, or changes with commas between them: u+x,g-w, a=rX, o=. "
      + "Of a file from below only the attributes are copied, no content.",
    examples: ["write /a text", "chmod 640 /a", "chmod u+x,g-r /a", "ls -l /a", "rm /a"],
    parsing: .rewritten(markMode)
  ) { context in
    let operands = try context.requiredOperands("the MODE")
    let change = try ModeChange(operands[0])
    guard operands.count > 1 else { throw UsageError("the PATH to change is missing") }
    let umask = context.session.caller.umask
    func apply(_ place: Place, follow: Bool) throws {
      let attributes = try place.attributes(follow: follow)
      if attributes.kind == .symlink { return }
      let mode = change.apply(
        to: attributes.mode, isDirectory: attributes.kind == .directory, umask: umask)
      try place.client.setAttributes(place.name, AttributeChanges(mode: mode), follow: follow)
      if context.arguments.has(verbose) {
        let (old, new) = (ModeText.octal(attributes.mode), ModeText.octal(mode))
        try context.print("\(place.path.shown): \(old) -> \(new)")
      }
    }
    try context.forEach(Array(operands.dropFirst())) { path in
      guard context.arguments.has(recursive) else {
        return try apply(context.place(path), follow: true)
      }
      try context.walk(context.place(path), follow: true) { place, attributes in
        try apply(place, follow: place.depth == 0)
        return attributes.kind == .directory
      }
    }
    return context.status
  }
}

/// `-x FILE` takes a permission away; it is no option.
private func markMode(_ words: [[UInt8]]) -> [[UInt8]] {
  var words = words
  let place = words.firstIndex { word in
    word.count > 1 && word[0] == UInt8(ascii: "-")
      && word.dropFirst().allSatisfy { "rwxXst".utf8.contains($0) }
  }
  let firstOperand = words.firstIndex { $0.first != UInt8(ascii: "-") } ?? words.count
  if let place, place < firstOperand {
    words[place] = [UInt8]("a") + words[place]
  }
  return words
}
