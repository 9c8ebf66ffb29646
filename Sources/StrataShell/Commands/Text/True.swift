extension Command {
  static let `true` = Command(
    "true", .text, .reads, "do nothing, successfully", usage: [""],
    examples: ["true && echo yes"], parsing: .raw
  ) { _ in ExitStatus.success }
}
