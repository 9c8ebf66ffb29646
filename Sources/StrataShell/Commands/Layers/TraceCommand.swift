internal import StrataEngine

extension Command {
  static let trace = Command(
    "trace", .layers, .arranges, "show each copy-on-write event as it happens",
    usage: ["[on | off]"],
    operands: [Operand("STATE", .words(["on", "off"]))],
    details: "Events go to standard error, a line for each: @ copy_up /etc/hosts base->work 20 "
      + "bytes. Without an argument it says whether tracing is on.",
    examples: ["trace on", "trace off"]
  ) { context in
    let trace = context.session.trace
    guard context.operands.count <= 1 else { throw UsageError("on or off") }
    switch context.operands.first?.text {
    case nil: try context.print("trace is \(trace.isOn ? "on" : "off")")
    case "on":
      let sink = context.output.standardError
      trace.start { event in try? sink.write([UInt8](event.line + "\n")) }
    case "off": trace.stop()
    case let word?: throw UsageError("on or off, not \(ShownName(word))")
    }
    return ExitStatus.success
  }
}
