extension Launch {
  /// The command line's bytes; the strings made of them have lost what is not UTF-8.
  private static let raw: [[UInt8]] = (1..<max(1, Int(CommandLine.argc))).compactMap { index in
    CommandLine.unsafeArgv[index].map { word in
      var bytes: [UInt8] = []
      var next = word
      while next.pointee != 0 {
        bytes.append(UInt8(bitPattern: next.pointee))
        next += 1
      }
      return bytes
    }
  }

  static func rawArguments(last count: Int) -> [[UInt8]] { raw.suffix(count) }

  /// Our options, that take an argument.
  static let optionsWithArgument: Set<String> = [
    "-c", "-f", "--base", "--plugin", "--color", "--generate-completion-script",
  ]

  /// The arguments with `--` in front of the first that is not our option: what follows a command
  /// is for the command.
  static func separated(_ arguments: [String]) -> [String] {
    var index = 0
    while index < arguments.count {
      let word = arguments[index]
      if word == "--" || word.hasPrefix("---") { return arguments }
      if word == "-" || !word.hasPrefix("-") {
        return arguments[..<index] + ["--"] + arguments[index...]
      }
      index += optionsWithArgument.contains(word) ? 2 : 1
    }
    return arguments
  }

  /// What an option's value was before it became a string.
  static func bytes(_ value: String) -> [UInt8] {
    guard value.unicodeScalars.contains("\u{FFFD}") else { return Array(value.utf8) }
    for word in raw {
      if String(decoding: word, as: UTF8.self) == value { return word }
      guard let sign = word.firstIndex(of: UInt8(ascii: "=")) else { continue }
      let rest = word[(sign + 1)...]
      if String(decoding: rest, as: UTF8.self) == value { return Array(rest) }
    }
    return Array(value.utf8)
  }
}
