internal import Glibc
internal import StrataEngine
internal import StrataFUSE
internal import StrataShell
internal import StrataSystem

private let readOnly = Option("r", "read-only", "let nobody write")
private let optionList = Option(
  "o", "options", argument: "LIST",
  "as mount(8) has them: ro, noexec, fsname=NAME, …; nodev and nosuid unless dev or suid is there")
private let lazy = Option("l", "lazy", "also while programs use it")
private let make = Option(nil, "make", "make FORK from this one if there is none of the name")
private let over = Option(
  nil, "over", argument: "DIR", of: .hostPath,
  "only if the workspace is over DIR; of several, each, topmost first")
private let noPassthrough = Option(
  nil, "no-passthrough", "do not let the kernel read files of the base by itself")

extension Command {
  static func mount(
    _ table: MountTable, _ host: MachineHost, _ place: RunPlace, bases: [[UInt8]],
    isLasting: Bool
  ) -> Command {
    Command(
      "mount", .layers, .arranges, "show a fork as a directory to all programs",
      usage: ["[-r] [-o LIST] [--make] [--over DIR]\u{2026} [--no-passthrough] [FORK [DIR]]"],
      options: [readOnly, optionList, make, over, noPassthrough],
      operands: [Operand("FORK", .fork), Operand("DIR", .hostPath)],
      details: """
        What programs do in the directory happens in the fork, and what the shell does in the fork \
        is seen there at once; the base is never written. Without a directory the fork is mounted \
        below $XDG_RUNTIME_DIR, else /run for root and /tmp for others, in directories that nobody \
        else may write to. The mount lasts until umount, or until the workspace is left.
        """,
      examples: ["mounts"]
    ) { context in
      try host.checkOutside()
      guard context.operands.count <= 2 else { throw UsageError("a fork and a directory") }
      // Without an owner there is nobody whom the mount could stay with.
      try context.workspace.checkWritable()
      guard isLasting else {
        throw CommandFailure(
          "the mount would end with this command, which nothing outlives that could serve it; the "
            + "mounts of a workspace, which strata init makes, stay unless it is opened --alone")
      }
      let wanted = context.arguments.all(over).map(host.absolutePath)
      guard wanted.isEmpty || wanted == bases else {
        throw CommandFailure("the workspace is over \(shown(bases)), not over \(shown(wanted))")
      }
      let fork =
        try context.operands.first.map { name in
          try context.arguments.has(make)
            ? context.fork(madeAs: String(decoding: name, as: UTF8.self)).fork
            : context.fork(named: name)
        } ?? context.fork
      let directory: [UInt8]
      if context.operands.count > 1 {
        directory = host.absolutePath(context.operands[1])
      } else {
        directory = try MountPlace(host).make(for: fork)
      }
      var options = MountOptions()
      options.source = Array("strata:\(fork.name)".utf8)
      for list in context.arguments.all(optionList) {
        for option in HelperOptions.split(list, at: UInt8(ascii: ",")) where !option.isEmpty {
          guard options.take(option) else {
            throw UsageError("-o \(ShownName(option)) is not known")
          }
        }
      }
      if context.arguments.has(readOnly) { options.isReadOnly = true }
      if context.arguments.has(noPassthrough) { options.usesPassthrough = false }
      options.capacity = try? Descriptor(path: place.capacity, [.path, .directory])
      options.workspace = place.workspace.map { MountedPlace.way(to: $0) }
      try table.mount(fork, options, at: directory, by: context.session.caller)
      try context.print("\(ShownName(directory))")
      return ExitStatus.success
    }
  }

  static func unmount(_ table: MountTable, _ host: MachineHost) -> Command {
    Command(
      "umount", .layers, .arranges, "take a mount away", usage: ["[-l] DIR|FORK"],
      options: [lazy], operands: [Operand("DIR", .hostPath)],
      details:
        "What was written is the fork's. Programs that use it when it is taken away with -l go on "
        + "until they let go of it, or the workspace is left.",
      examples: ["mounts"]
    ) { context in
      try host.checkOutside()
      guard let operand = context.operands.first, context.operands.count == 1 else {
        throw UsageError("one mount")
      }
      let path = host.absolutePath(operand)
      let name = String(decoding: operand, as: UTF8.self)
      let place =
        table.all.last { $0.directory == path }
        ?? table.all.last { $0.mount.fork.name == name }
      guard let place else {
        throw FileError(.invalidArgument, saying: "\(ShownName(operand)): \(whatElse(path))")
      }
      do throws(FileError) {
        let isLazy = context.arguments.has(lazy)
        try table.unmount(place, lazily: isLazy, by: context.session.caller)
      } catch {
        guard error.errno == .resourceBusy, error.reason == nil else { throw error }
        throw CommandFailure(
          "\(ShownName(place.directory)) is busy: programs use it; umount -l takes it from its place"
        )
      }
      MountPlace(host).remove(place.directory)
      return ExitStatus.success
    }
  }

  static func mounts(_ table: MountTable) -> Command {
    Command(
      "mounts", .layers, .reads, "list the mounts of this workspace", usage: [""],
      options: [.json], examples: ["mounts"]
    ) { context in
      if context.isJSON {
        try context.print(
          table.all.map {
            .members(["fork": .string($0.mount.fork.name), "path": .bytes($0.directory)])
          })
        return ExitStatus.success
      }
      for row in table.all {
        try context.print("\(row.mount.fork.name)\t\(ShownName(row.directory))")
      }
      return ExitStatus.success
    }
  }
}

/// What a directory is that no mount of this workspace is at.
private func whatElse(_ directory: [UInt8]) -> String {
  guard MountInfo.hasFork(at: directory) else { return "no mount of this workspace" }
  return "a mount of another workspace; umount there, or umount(8), takes it away"
}

/// Directories as mount(8) names several.
private func shown(_ bases: [[UInt8]]) -> String {
  bases.map { ShownName($0).description }.joined(separator: ":")
}
