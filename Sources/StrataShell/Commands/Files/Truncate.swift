internal import StrataEngine
internal import SystemPackage

private let size = Option("s", "size", argument: "SIZE", "the new size; +N grows, -N shrinks by N")
private let noCreate = Option("c", "no-create", "make no files")

extension Command {
  static let truncate = Command(
    "truncate", .files, .changes, "set the size of files",
    usage: ["-s [+|-]SIZE [-c] FILE\u{2026}"],
    options: [size, noCreate],
    operands: [Operand("FILE", .path, repeated: true)],
    details: "What is cut off is lost; what is added is a hole that reads as zeroes. SIZE may have "
      + "a unit: 4K, 1MiB, 2GB.",
    examples: ["truncate -s 1M /hole", "du -h /hole", "rm /hole"]
  ) { context in
    guard let text = context.arguments.value(size) else { throw UsageError("-s SIZE is missing") }
    let sign = text.first.flatMap { "+-".utf8.contains($0) ? $0 : nil }
    guard let amount = SizeText.parse(sign == nil ? text : Array(text.dropFirst())) else {
      throw UsageError("no such size: \(text.shown)")
    }
    let paths = try context.requiredOperands("the FILE to truncate")
    try context.forEach(paths) { path in
      let file: OpenFile
      do throws(FileError) {
        let mode: UInt32? = context.arguments.has(noCreate) ? nil : 0o666
        file = try context.client.open(path, [.write], create: mode)
      } catch {
        if context.arguments.has(noCreate), error.errno == .noSuchFileOrDirectory { return }
        throw error
      }
      let old = try file.attributes().size
      switch sign {
      case UInt8(ascii: "+"):
        let (sum, overflow) = old.addingReportingOverflow(amount)
        guard !overflow else { throw FileError(.fileTooLarge) }
        try file.truncate(to: sum)
      case UInt8(ascii: "-"): try file.truncate(to: max(0, old - amount))
      default: try file.truncate(to: amount)
      }
    }
    return context.status
  }
}
