/// A stack of boxes, drawn from the top down.
struct Picture {
  struct Box {
    var lines: [String]
    /// What lies below it is set off by a double line.
    var isLastOfItsKind = false
  }

  var boxes: [Box] = []

  func text() -> String {
    let widest = boxes.flatMap(\.lines).map(displayWidth).max() ?? 0
    let width = max(widest, 20)
    func line(_ left: String, _ fill: String, _ right: String) -> String {
      left + String(repeating: fill, count: width + 2) + right + "\n"
    }
    var text = line("\u{256D}", "\u{2500}", "\u{256E}")
    for (index, box) in boxes.enumerated() {
      for content in box.lines { text += "\u{2502} \(padded(content, width)) \u{2502}\n" }
      if index == boxes.count - 1 { break }
      text +=
        box.isLastOfItsKind
        ? line("\u{255E}", "\u{2550}", "\u{2561}") : line("\u{251C}", "\u{2500}", "\u{2524}")
    }
    return text + line("\u{2570}", "\u{2500}", "\u{256F}")
  }
}
