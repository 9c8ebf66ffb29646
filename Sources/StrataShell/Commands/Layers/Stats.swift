internal import StrataEngine

extension Command {
  static let stats = Command(
    "stats", .layers, .reads, "show what the changes of this fork cost",
    usage: [""], options: [.json],
    details: "Amplification is what went to the layers for each byte that was written: 1.00 means "
      + "that nothing had to be copied. A file in one run of blocks is not fragmented.",
    examples: ["write /new text", "stats", "undo"]
  ) { context in
    guard context.operands.isEmpty else { throw UsageError("no arguments are taken") }
    let layers = context.fork.layerStats
    let content = context.fork.contentStats
    let perFile = content.files > 0 ? Double(content.extents) / Double(content.files) : nil
    if context.isJSON {
      try context.print(
        .object(
          [JSON.Member("fork", .string(context.fork.name))] + layers.json + [
            JSON.Member("amplification", layers.amplification.map(JSON.number) ?? .null),
            JSON.Member("nodes", .int(content.nodes)), JSON.Member("files", .int(content.files)),
            JSON.Member("extents", .int(content.extents)),
            JSON.Member("largest_extents", .int(content.largestExtents)),
            JSON.Member("own_pages", .int(content.ownPages)),
            JSON.Member("shared_pages", .int(content.sharedPages)),
          ]))
      return ExitStatus.success
    }
    let style = Style(context.output)
    func row(_ name: String, _ value: String) throws {
      try context.print("\(padded(name, 16))\(value)")
    }
    try row("fork", style.bold(context.fork.name))
    try row("written", SizeText.spoken(layers.bytesWritten))
    try row("copied", "\(SizeText.spoken(layers.bytesCopied)) from below, to write that")
    try row("amplification", layers.amplification.map(twoDigits) ?? "none: nothing was written")
    try row(
      "first writes",
      "\(counted(layers.copyUps, "copy-up")), \(counted(layers.redirects, "redirect")), "
        + "\(counted(layers.metadataCopies, "metadata copy", "metadata copies"))")
    try row(
      "names",
      "\(layers.created) created, \(counted(layers.whiteouts, "whiteout")), "
        + "\(counted(layers.opaques, "opaque directory", "opaque directories"))")
    try row("changed nodes", "\(content.nodes)")
    try row(
      "fragmentation",
      perFile.map {
        "\(twoDigits($0)) runs of blocks a file, \(content.largestExtents) at the most"
      } ?? "none: no file has blocks of its own")
    try row(
      "pages",
      "\(content.ownPages) own, \(content.sharedPages) shared with other forks "
        + "(\(SizeText.spoken(Int64(content.ownPages + content.sharedPages) * Int64(Block.size))))")
    return ExitStatus.success
  }
}
