internal import StrataEngine

extension LayerStats {
  /// `1 created, 2 copied up; 24 bytes written, 20 copied`
  var text: String {
    let counts: [(Int, String)] = [
      (created, "created"), (copyUps, "copied up"), (redirects, "redirected"),
      (metadataCopies, "metadata only"), (opaques, "opaque"),
    ]
    var words = counts.compactMap { $0.0 == 0 ? nil : "\($0.0) \($0.1)" }
    if whiteouts > 0 { words.append(counted(whiteouts, "whiteout")) }
    let nodes =
      words.isEmpty ? "names or attributes of its own only" : words.joined(separator: ", ")
    guard bytesWritten > 0 || bytesCopied > 0 else { return nodes }
    let written = "\(SizeText.spoken(bytesWritten)) written"
    return bytesCopied > 0
      ? "\(nodes); \(written), \(SizeText.spoken(bytesCopied)) copied" : "\(nodes); \(written)"
  }

  /// Bytes that went to the layer for each byte that programs wrote; nil if they wrote none.
  var amplification: Double? {
    bytesWritten > 0 ? Double(bytesWritten + bytesCopied) / Double(bytesWritten) : nil
  }

  var json: [JSON.Member] {
    [
      JSON.Member("created", .int(created)), JSON.Member("copy_ups", .int(copyUps)),
      JSON.Member("redirects", .int(redirects)),
      JSON.Member("metadata_copies", .int(metadataCopies)),
      JSON.Member("whiteouts", .int(whiteouts)), JSON.Member("opaques", .int(opaques)),
      JSON.Member("bytes_written", .int(bytesWritten)),
      JSON.Member("bytes_copied", .int(bytesCopied)),
    ]
  }
}

extension Workspace {
  /// The command that made each layer, as far as the logs still tell.
  func commandsByLayer() -> [LayerID: String] {
    var commands: [LayerID: String] = [:]
    for fork in forks {
      for operation in fork.history + fork.undone {
        if let layer = operation.layer { commands[layer.id] = operation.command }
      }
    }
    return commands
  }
}

/// The first line of a command, shortened.
func shortened(_ command: String, to width: Int) -> String {
  let line = command.split(separator: "\n").first.map(String.init) ?? ""
  let text = ShownName(line).description
  let isWhole = line == command && text.count <= width
  return isWhole ? text : String(text.prefix(max(1, width - 1))) + "\u{2026}"
}

/// A ratio with two digits: `1.83`.
func twoDigits(_ value: Double) -> String {
  let hundredths = Int((value * 100).rounded())
  return "\(hundredths / 100).\(padded(String(abs(hundredths) % 100), 2, .right, with: "0"))"
}
