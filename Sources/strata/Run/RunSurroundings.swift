internal import StrataEngine
internal import StrataShell

/// What a program inside a run can know of it: by variables of its environment.
struct RunSurroundings {
  static let workspaceVariable = "STRATA_WORKSPACE"

  /// A way to the workspace's directory.
  let workspace: [UInt8]
  /// The fork that the run is in.
  let fork: [UInt8]?

  /// Nil outside, and in a run that has no workspace on disk.
  init?(_ host: MachineHost) {
    guard let path = host.environment(Self.workspaceVariable), !path.isEmpty else { return nil }
    workspace = path
    fork = host.environment("STRATA_FORK").flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Where a session begins.
  var place: [JSON.Member] { fork.map { [JSON.Member("fork", .bytes($0))] } ?? [] }

  /// What a person is told if nobody is found there.
  func complaint(_ reason: String) -> Complaint {
    Complaint(
      "the workspace of this run cannot be reached (\(Self.workspaceVariable) is "
        + "\(ShownName(workspace))): \(reason); it cannot in a run with --contain, nor when its owner "
        + "or the run has ended")
  }
}
