internal import StrataEngine

extension Command {
  static let checkhealth = Command(
    "checkhealth", .plugins, .reads, "check the session, its bases and its plugins",
    usage: [""], options: [.json],
    details: "Ends with 1 if anything is wrong.",
    examples: ["checkhealth"]
  ) { context in
    guard context.operands.isEmpty else { throw UsageError("no arguments are taken") }
    let reports = bases(context) + plugins(context) + context.session.plugins.health()
    if context.isJSON {
      try context.print(
        reports.map {
          .members([
            "subject": .string($0.subject), "level": .string($0.level.rawValue),
            "message": .string($0.message),
          ])
        })
    } else {
      let style = Style(context.output)
      for report in reports {
        let mark =
          switch report.level {
          case .ok: style.green("ok     ")
          case .info: style.dim("info   ")
          case .warning: style.yellow("warning")
          case .error: style.red("error  ")
          }
        try context.print("\(mark)  \(report.subject): \(report.message)")
      }
    }
    return reports.contains { $0.level == .error } ? ExitStatus.failure : ExitStatus.success
  }
}

/// Whether each base can still be looked at.
private func bases(_ context: Context) -> [HealthReport] {
  context.workspace.bases.map { base in
    let subject = "base \(ShownName(base.title))"
    do throws(FileError) {
      guard try base.status(of: .empty)?.kind == .directory else {
        return HealthReport(subject: subject, level: .error, message: "is no directory any more")
      }
      let count = try base.list(.empty).count
      return HealthReport(
        subject: subject, level: .ok, message: "readable, \(counted(count, "name")) at its root")
    } catch {
      return HealthReport(subject: subject, level: .error, message: error.text)
    }
  }
}

private func plugins(_ context: Context) -> [HealthReport] {
  context.session.plugins.plugins.map { plugin in
    let subject = "plugin \(plugin.name)"
    if case .disabled(let reason) = plugin.state {
      return HealthReport(subject: subject, level: .warning, message: "disabled: \(reason)")
    }
    if plugin.failures == 0, plugin.dropped > 0 {
      return HealthReport(
        subject: subject, level: .warning,
        message: "not told of \(counted(plugin.dropped, "event")): too many waited")
    }
    guard plugin.failures > 0 else {
      return HealthReport(
        subject: subject, level: .ok, message: counted(plugin.calls, "call"))
    }
    return HealthReport(
      subject: subject, level: .warning,
      message: "\(plugin.failures) of \(counted(plugin.calls, "call")) failed")
  }
}
