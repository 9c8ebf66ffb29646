extension Command {
  static let `false` = Command(
    "false", .text, .reads, "do nothing, unsuccessfully", usage: [""],
    examples: ["false || echo no"], parsing: .raw
  ) { _ in ExitStatus.failure }
}
