internal import StrataEngine
internal import StrataShell
internal import StrataStorage

extension Command {
  /// The command that makes a workspace on disk.
  /// - Parameter known: the bases of a session that has none on disk, for who names no others.
  static func `init`(_ host: MachineHost, over known: [[UInt8]]?) -> Command {
    Command(
      "init", .layers, .arranges, "make a workspace that is still there tomorrow",
      usage: ["[DIR…]"], operands: [Operand("DIR", .hostPath, repeated: true)],
      details: """
        Makes .strata in the current directory of the host, over the directories DIR, topmost first; \
        without any over those of --base, or else over the current directory. From then on strata keeps \
        all forks and all history there, wherever below that directory it is started. A session in memory \
        goes on in it, if nothing was changed in that before.
        """,
      examples: ["init --help"]
    ) { context in
      try host.checkOutside()
      guard let place = host.directory else {
        throw FileError(.noSuchFileOrDirectory, saying: "the current directory is gone")
      }
      if let mounted = MountedPlace(place) {
        throw FileError(.fileExists, saying: "\(ShownName(place)) is in \(mounted.text)")
      }
      let bases =
        context.operands.isEmpty ? known ?? [place] : context.operands.map(host.absolutePath)
      // What is in memory has no way into a store.
      guard known == nil || context.session.isUntouched else {
        throw CommandFailure(
          "this session is in memory, and its changes and forks would not come along: commit or "
            + "copy-out what is to stay, and run 'strata init' by itself")
      }
      // A workspace over what is not there would be in the way of the next try.
      let readers = try bases.map { base in
        do throws(FileError) {
          return try HostDirectory(path: base, hiding: .workspaces)
        } catch {
          throw PathFailure(base, error)
        }
      }
      let path: [UInt8]
      do throws(FileError) {
        path = try WorkspaceDirectory.make(in: place)
      } catch {
        guard error.errno == .fileExists else { throw PathFailure(place, error) }
        let there = place + [UInt8(ascii: "/")] + WorkspaceDirectory.name.bytes
        throw CommandFailure(
          (try? WorkspaceDirectory.isWorkspace(there)) == true
            ? "\(ShownName(there)) is a workspace already: strata opens it; remove it to begin anew"
            : "\(ShownName(there)) is there already, and is no workspace")
      }
      let directory = try WorkspaceDirectory.own(path)
      let store = try DurableStore(directory: directory.place.path)
      try store.setBasePaths(bases)
      _ = try Workspace(
        bases: readers, store: store, keepsInodes: true, clock: { host.now() })
      if known != nil { context.session.successor = path }
      try context.print("made a workspace in \(ShownName(path))")
      return ExitStatus.success
    }
  }
}
