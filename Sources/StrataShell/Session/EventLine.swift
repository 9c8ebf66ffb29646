public import StrataEngine

extension Event {
  /// The event as one line of a trace or transcript: `@ copy_up /etc/hosts base->work 20 bytes`.
  public var line: String {
    var words = ["@", kind.rawValue]
    if !path.isEmpty { words.append("\(ShownName(path))") }
    if let path2 { words.append("-> \(ShownName(path2))") }
    if fromLayer != nil || toLayer != nil {
      words.append("\(Event.name(of: fromLayer))->\(Event.name(of: toLayer))")
    }
    if let bytes, movesContent || bytes > 0 {
      words.append(bytes == 1 ? "1 byte" : "\(bytes) bytes")
    }
    if let message { words.append(message) }
    return words.joined(separator: " ")
  }

  /// Whether bytes of content are what the event is about, so that none is worth telling.
  private var movesContent: Bool { kind == .copyUp || kind == .redirect || kind == .write }

  private static func name(of layer: Layer?) -> String { layer?.name ?? "base" }
}
