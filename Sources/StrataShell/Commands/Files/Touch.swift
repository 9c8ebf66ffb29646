internal import StrataEngine
internal import SystemPackage

private let access = Option("a", nil, "change the time of access only")
private let modification = Option("m", nil, "change the time of modification only")
private let noCreate = Option("c", "no-create", "make no files")
private let noFollow = Option("h", "no-dereference", "symbolic links themselves")
private let stamp = Option("t", nil, argument: "STAMP", "[[CC]YY]MMDDhhmm[.ss] instead of now")
private let date = Option(
  "d", "date", argument: "DATE", "2025-01-31, 2025-01-31T08:05[:09[.5]][Z], @SECONDS")
private let reference = Option(
  "r", "reference", argument: "FILE", of: .path, "the times of this file")

extension Command {
  static let touch = Command(
    "touch", .files, .changes, "make empty files, or set their times",
    usage: ["[-amch] [-t STAMP | -d DATE | -r FILE] PATH\u{2026}"],
    options: [access, modification, noCreate, noFollow, stamp, date, reference],
    operands: [Operand("PATH", .path, repeated: true)],
    examples: ["touch -d 2025-01-31T08:05Z /a", "stat /a", "rm /a"]
  ) { context in
    let paths = try context.requiredOperands("the PATH to touch")
    let has = context.arguments.has
    let now = context.workspace.now
    var times = (accessed: now, modified: now)
    if let text = context.arguments.value(stamp) ?? context.arguments.value(date) {
      let parsed =
        has(stamp)
        ? TimeText.parseStamp(text.text, now: now, context.host)
        : TimeText.parse(text.text, context.host)
      guard let parsed else { throw UsageError("no such time: \(text.shown)") }
      times = (parsed, parsed)
    } else if let file = context.arguments.value(reference) {
      do throws(FileError) {
        let attributes = try context.client.attributes(file)
        times = (attributes.accessed, attributes.modified)
      } catch {
        throw PathFailure(file, error)
      }
    }
    let changes = AttributeChanges(
      accessed: has(modification) && !has(access) ? nil : times.accessed,
      modified: has(access) && !has(modification) ? nil : times.modified)
    try context.forEach(paths) { path in
      let follows = !has(noFollow)
      do throws(FileError) {
        try context.client.setAttributes(path, changes, follow: follows)
      } catch {
        guard error.errno == .noSuchFileOrDirectory else { throw error }
        if has(noCreate) { return }
        _ = try context.client.open(path, [.write], create: 0o666)
        try context.client.setAttributes(path, changes, follow: follows)
      }
    }
    return context.status
  }
}
