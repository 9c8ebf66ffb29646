internal import StrataEngine

extension Command {
  static let find = Command(
    "find", .files, .changes, "find files by what they are",
    usage: ["[PATH\u{2026}] [EXPRESSION]"],
    operands: [Operand("PATH", .path, repeated: true)],
    details: "Tests: -name PATTERN, -iname PATTERN, -path PATTERN, -type [fdlcbps], -size "
      + "[+-]N[cbkMG], -newer FILE, -empty, -perm [-]MODE, -changed (in a layer above the bases). "
      + "Between them -a, -o, ! and '(' ')'. Limits: -maxdepth N, -mindepth N. Actions: -print, "
      + "-print0, -delete; --json makes what is printed an array. Patterns need quotes.",
    examples: ["find / -maxdepth 1 -type d", "find / -maxdepth 1 -name '*.txt' -size +1k"],
    parsing: .raw
  ) { context in
    let parser = try FindParser(context.operands, context)
    let isJSON = parser.isJSON || context.output.isJSON
    var rows: [JSON] = []
    func test(_ place: Place, _ attributes: Attributes) throws {
      guard place.depth >= parser.minimumDepth else { return }
      _ = try parser.expression.matches(place, attributes, context) { separator in
        if isJSON {
          rows.append(
            .object([JSON.Member("path", .bytes(place.path))] + attributesJSON(attributes)))
        } else {
          let name = separator == 0 ? place.path : context.shown(place.path)
          try context.write(name + [separator])
        }
      }
    }
    func visit(_ place: Place) throws {
      try context.attempt(place.path) {
        let attributes = try place.attributes()
        // What is deleted goes before the directory that it is in.
        if !parser.expression.deletes { try test(place, attributes) }
        if attributes.kind == .directory, place.depth < parser.maximumDepth {
          try context.attempt(place.path) {
            for child in try place.children() { try visit(child) }
          }
        }
        if parser.expression.deletes { try test(place, attributes) }
      }
    }
    for path in parser.paths { try visit(context.place(path)) }
    if isJSON { try context.print(rows) }
    return context.status
  }
}
