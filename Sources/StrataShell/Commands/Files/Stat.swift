internal import StrataEngine

private let format = Option(
  "c", "format", argument: "FORMAT",
  "%n %N %s %b %B %f %F %a %A %h %i %u %U %g %G %x %X %y %Y %z %Z")
private let follow = Option("L", "dereference", "what symbolic links lead to")

extension Command {
  static let stat = Command(
    "stat", .files, .reads, "write all that is known of files",
    usage: ["[-L] [-c FORMAT] PATH\u{2026}"],
    options: [format, follow, .json],
    operands: [Operand("PATH", .path, repeated: true)],
    details: "The inode is the node's number, which stays the same through copy-up, rename and "
      + "fork. Blocks are units of 512 bytes, what is shared with a base included.",
    examples: ["stat /", "stat -c '%n %F %a' /"]
  ) { context in
    let paths = try context.requiredOperands("the PATH to look at")
    var rows: [JSON] = []
    try context.forEach(paths) { path in
      let place = context.place(path)
      let attributes = try place.attributes(follow: context.arguments.has(follow))
      let target = attributes.kind == .symlink ? try place.client.readLink(path) : nil
      if context.isJSON {
        var members = attributesJSON(attributes)
        members.insert(JSON.Member("path", .bytes(path)), at: 0)
        if let target { members.append(JSON.Member("target", .bytes(target))) }
        rows.append(.object(members))
        return
      }
      let report = StatReport(
        path: path, attributes: attributes, target: target, host: context.host)
      if let text = context.arguments.value(format) {
        try context.write(report.format(text) + [UInt8(ascii: "\n")])
      } else {
        try context.print(report.text)
      }
    }
    if context.isJSON { try context.print(rows) }
    return context.status
  }
}

private struct StatReport {
  let path: [UInt8]
  let attributes: Attributes
  let target: [UInt8]?
  let host: any Host

  var text: String {
    let arrow = target.map { " -> \($0.shown)" } ?? ""
    let mode = "\(ModeText.octal(attributes.mode))/\(value("A"))"
    return """
        File: \(path.shown)\(arrow)
        Size: \(padded(value("s"), 15)) Blocks: \(padded(value("b"), 10)) \(value("F"))
       Inode: \(padded(value("i"), 15)) Links: \(value("h"))\(device)
      Access: (\(mode))  Uid: (\(value("u"))/\(value("U")))  Gid: (\(value("g"))/\(value("G")))
      Access: \(value("x"))
      Modify: \(value("y"))
      Change: \(value("z"))
      """
  }

  private var device: String {
    switch attributes.kind {
    case .characterDevice, .blockDevice: "  Device type: \(DeviceNumber(attributes.device))"
    default: ""
    }
  }

  func format(_ format: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var rest = format[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%"), let letter = rest.popFirst() else {
        result.append(byte)
        continue
      }
      switch letter {
      case UInt8(ascii: "%"): result.append(letter)
      case UInt8(ascii: "n"): result += path
      default: result += Array(value(Character(Unicode.Scalar(letter))).utf8)
      }
    }
    return result
  }

  private func value(_ letter: Character) -> String {
    switch letter {
    case "N": path.shown + (target.map { " -> \($0.shown)" } ?? "")
    case "s": String(attributes.size)
    case "b": String(attributes.blocks)
    case "B": "512"
    case "f": hexadecimal(UInt64(attributes.kind.modeBits | attributes.mode))
    case "F":
      attributes.kind == .regular && attributes.size == 0
        ? "regular empty file" : ModeText.name(attributes.kind)
    case "a": String(attributes.mode, radix: 8)
    case "A": ModeText.string(attributes.kind, attributes.mode)
    case "h": String(attributes.links)
    case "i": String(attributes.node.rawValue)
    case "u": String(attributes.uid)
    case "U": host.userName(attributes.uid) ?? "UNKNOWN"
    case "g": String(attributes.gid)
    case "G": host.groupName(attributes.gid) ?? "UNKNOWN"
    case "x": host.fullTime(attributes.accessed)
    case "y": host.fullTime(attributes.modified)
    case "z": host.fullTime(attributes.changed)
    case "X": seconds(attributes.accessed)
    case "Y": seconds(attributes.modified)
    case "Z": seconds(attributes.changed)
    default: "?"
    }
  }

  private func seconds(_ time: Timestamp) -> String {
    let seconds = time / 1_000_000_000 - (time % 1_000_000_000 < 0 ? 1 : 0)
    return String(seconds)
  }
}
