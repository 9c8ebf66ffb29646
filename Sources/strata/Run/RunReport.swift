internal import StrataEngine
internal import StrataShell

/// What has become of a run, for a table.
struct RunReport {
  private let name: String
  private let status: Int32
  private let tenths: Int64
  private let changes: Int
  /// Nil if nothing was changed.
  private let stats: LayerStats?

  /// - Parameter before: the fork as it was.
  init(
    _ fork: Fork, from before: Namespace, status: Int32, nanoseconds: Timestamp
  ) throws {
    (name, self.status) = (fork.name, status)
    tenths = nanoseconds / 100_000_000
    changes = try fork.workspace.diff(before, fork.value).count
    stats = changes == 0 ? nil : fork.history(newest: 1).last?.stats
  }

  private var seconds: String { "\(tenths / 10).\(tenths % 10)" }

  var line: String {
    "\(name)\t\(status)\t\(seconds)\t\(changes)\t"
      + "\(stats?.bytesWritten ?? 0)\t\(stats?.bytesCopied ?? 0)"
  }

  var json: JSON {
    .members([
      "fork": .string(name), "status": .int(status), "seconds": .number(Double(tenths) / 10),
      "changes": .int(changes), "bytes_written": .int(stats?.bytesWritten ?? 0),
      "bytes_copied": .int(stats?.bytesCopied ?? 0),
    ])
  }
}
