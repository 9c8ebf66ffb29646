/// The words of a command, told apart.
public struct Arguments: Sendable {
  public internal(set) var operands: [[UInt8]] = []
  private var values: [Option: [[UInt8]]] = [:]

  init(operands: [[UInt8]] = []) { self.operands = operands }

  public func has(_ option: Option) -> Bool { values[option] != nil }

  /// The option's argument; the last one if it was given more than once.
  public func value(_ option: Option) -> [UInt8]? { values[option]?.last }

  /// All arguments of the option, in order.
  public func all(_ option: Option) -> [[UInt8]] { values[option] ?? [] }

  mutating func add(_ option: Option, _ value: [UInt8]? = nil) {
    values[option, default: []] += value.map { [$0] } ?? []
  }
}

/// A command was called in a way it does not know; ends it with 64.
public struct UsageError: Error, Equatable, Sendable {
  public let message: String
  public init(_ message: String) { self.message = message }
}

extension Arguments {
  /// - Throws: ``UsageError`` for options that the command does not have.
  static func parse(_ words: [[UInt8]], for command: Command) throws(UsageError) -> Arguments {
    var words = words
    var optionsFirst = false
    switch command.parsing {
    case .mixed: break
    case .optionsFirst: optionsFirst = true
    case .rewritten(let rewrite): words = rewrite(words)
    case .raw:
      var raw = Arguments(operands: words)
      if words == [Array("--help".utf8)] { raw.add(.help) }
      return raw
    }
    var arguments = Arguments()
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == Array("--".utf8) {
        arguments.operands += rest
        break
      }
      if word.starts(with: "--".utf8) {
        try arguments.addLong(word, &rest, command)
      } else if word.first == UInt8(ascii: "-"), word.count > 1 {
        try arguments.addShort(word, &rest, command)
      } else if optionsFirst {
        arguments.operands += [word] + rest
        break
      } else {
        arguments.operands.append(word)
      }
    }
    return arguments
  }

  /// `--name`, `--name=value`, `--name value`; a beginning that fits one option only will do.
  private mutating func addLong(
    _ word: [UInt8], _ rest: inout ArraySlice<[UInt8]>, _ command: Command
  ) throws(UsageError) {
    let body = word.dropFirst(2)
    let parts = body.split(
      separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
    let name = String(decoding: parts[0], as: UTF8.self)
    let known = command.allOptions
    let fitting = known.filter { $0.long?.hasPrefix(name) == true }
    guard let option = fitting.first(where: { $0.long == name }) ?? fitting.first else {
      throw UsageError(
        "unknown option --\(ShownName(name))"
          + didYouMean(name, among: known.compactMap(\.long), prefix: "--"))
    }
    guard option.long == name || fitting.count == 1 else {
      let names = fitting.compactMap(\.long).map { "--\($0)" }.joined(separator: ", ")
      throw UsageError("option --\(ShownName(name)) could be \(names)")
    }
    guard let argument = option.argument else {
      guard parts.count == 1 else {
        throw UsageError("option --\(option.long ?? name) takes no argument")
      }
      return add(option)
    }
    if parts.count == 2 { return add(option, Array(parts[1])) }
    guard let value = rest.popFirst() else {
      throw UsageError("option --\(option.long ?? name) needs an argument: \(argument)")
    }
    add(option, value)
  }

  /// `-l`, `-la`, `-n5`, `-n 5`.
  private mutating func addShort(
    _ word: [UInt8], _ rest: inout ArraySlice<[UInt8]>, _ command: Command
  ) throws(UsageError) {
    var letters = word.dropFirst()
    while let letter = letters.popFirst() {
      let name = Character(Unicode.Scalar(letter))
      guard let option = command.allOptions.first(where: { $0.short == name }), letter < 0x80 else {
        throw UsageError("unknown option -\(ShownName([letter]))")
      }
      guard let argument = option.argument else {
        add(option)
        continue
      }
      if !letters.isEmpty { return add(option, Array(letters)) }
      guard let value = rest.popFirst() else {
        throw UsageError("option -\(name) needs an argument: \(argument)")
      }
      return add(option, value)
    }
  }
}

extension Command {
  /// Its own options and those that all commands have.
  var allOptions: [Option] { options + [.help] }
}
