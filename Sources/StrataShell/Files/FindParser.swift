internal import StrataEngine

/// Reads the words of a `find`: paths, then an expression.
struct FindParser {
  private var rest: ArraySlice<[UInt8]>
  private let context: Context
  private(set) var paths: [[UInt8]] = []
  private(set) var minimumDepth = 0
  private(set) var maximumDepth = Int.max
  private(set) var isJSON = false
  private(set) var expression = FindExpression.always

  init(_ words: [[UInt8]], _ context: Context) throws {
    self.context = context
    rest = words[...]
    while let word = rest.first, word.first != UInt8(ascii: "-"), word != [UInt8]("!"),
      word != [UInt8]("(")
    {
      paths.append(word)
      rest.removeFirst()
    }
    if paths.isEmpty { paths = [[UInt8(ascii: ".")]] }
    if !rest.isEmpty { expression = try alternatives() }
    if let word = rest.first { throw UsageError("\(word.shown) was not expected here") }
    if !expression.acts {
      expression = .and(expression, .print(separator: UInt8(ascii: "\n")))
    }
  }

  private mutating func alternatives() throws -> FindExpression {
    var result = try sequence()
    while rest.first == [UInt8]("-o") || rest.first == [UInt8]("-or") {
      rest.removeFirst()
      result = .or(result, try sequence())
    }
    return result
  }

  private mutating func sequence() throws -> FindExpression {
    var result = try term()
    while let word = rest.first, word != [UInt8](")"), word != [UInt8]("-o"),
      word != [UInt8]("-or")
    {
      if word == [UInt8]("-a") || word == [UInt8]("-and") { rest.removeFirst() }
      result = .and(result, try term())
    }
    return result
  }

  private mutating func argument(_ test: String) throws -> [UInt8] {
    guard let word = rest.popFirst() else { throw UsageError("\(test) needs an argument") }
    return word
  }

  private mutating func number(_ test: String) throws -> Int {
    let word = try argument(test)
    guard let number = Int(word.text), number >= 0 else {
      throw UsageError("\(test) needs a number, not \(word.shown)")
    }
    return number
  }

  private mutating func term() throws -> FindExpression {
    guard let word = rest.popFirst() else { throw UsageError("an expression ends too early") }
    let test = word.text
    switch test {
    case "!", "-not": return .not(try term())
    case "(":
      let inner = try alternatives()
      guard rest.popFirst() == [UInt8](")") else { throw UsageError("a ) is missing") }
      return inner
    case "-name": return .name(GlobPattern(try argument(test)), ignoresCase: false)
    case "-iname": return .name(GlobPattern(try argument(test)), ignoresCase: true)
    case "-path": return .path(GlobPattern(try argument(test)))
    case "-type": return try kinds(try argument(test))
    case "-size": return try size(try argument(test))
    case "-newer":
      let file = try argument(test)
      do throws(FileError) {
        return .modified(after: try context.client.attributes(file).modified)
      } catch {
        throw PathFailure(file, error)
      }
    case "-empty": return .empty
    case "-perm": return try mode(try argument(test))
    case "-changed": return .changed
    case "-print": return .print(separator: UInt8(ascii: "\n"))
    case "-print0": return .print(separator: 0)
    case "-delete": return .delete
    case "-maxdepth":
      maximumDepth = try number(test)
      return .always
    case "-mindepth":
      minimumDepth = try number(test)
      return .always
    case "--json":
      isJSON = true
      return .always
    default:
      throw UsageError(
        "unknown test \(word.shown)\(didYouMean(test, among: FindParser.tests))")
    }
  }

  private static let tests = [
    "-name", "-iname", "-path", "-type", "-size", "-newer", "-empty", "-perm", "-changed",
    "-print", "-print0", "-delete", "-maxdepth", "-mindepth", "-not",
  ]

  private func kinds(_ text: [UInt8]) throws(UsageError) -> FindExpression {
    var kinds: [FileKind] = []
    for letter in text.split(separator: UInt8(ascii: ",")) {
      switch String(decoding: letter, as: UTF8.self) {
      case "f": kinds.append(.regular)
      case "d": kinds.append(.directory)
      case "l": kinds.append(.symlink)
      case "c": kinds.append(.characterDevice)
      case "b": kinds.append(.blockDevice)
      case "p": kinds.append(.fifo)
      case "s": kinds.append(.socket)
      default: throw UsageError("-type knows f d l c b p s, not \(text.shown)")
      }
    }
    return .kinds(kinds)
  }

  private func size(_ text: [UInt8]) throws(UsageError) -> FindExpression {
    var digits = text[...]
    var comparison = FindExpression.Comparison.equal
    if let sign = digits.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
      comparison = sign == UInt8(ascii: "+") ? .more : .less
      digits.removeFirst()
    }
    var unit: Int64 = 512
    if let letter = digits.last, let known = FindParser.units[letter] {
      unit = known
      digits.removeLast()
    }
    guard let count = Int64(String(decoding: digits, as: UTF8.self)), count >= 0 else {
      throw UsageError("-size needs [+-]N[cbkMG], not \(text.shown)")
    }
    return .size(count, unit: unit, comparison)
  }

  private static let units: [UInt8: Int64] = [
    UInt8(ascii: "c"): 1, UInt8(ascii: "b"): 512, UInt8(ascii: "k"): 1 << 10,
    UInt8(ascii: "M"): 1 << 20, UInt8(ascii: "G"): 1 << 30,
  ]

  private func mode(_ text: [UInt8]) throws(UsageError) -> FindExpression {
    let isAll = text.first == UInt8(ascii: "-")
    let digits = isAll ? Array(text.dropFirst()) : text
    guard let mode = UInt32(digits.text, radix: 8), mode <= 0o7777 else {
      throw UsageError("-perm needs [-]MODE in base 8, not \(text.shown)")
    }
    return .mode(mode, isAll: isAll)
  }
}
