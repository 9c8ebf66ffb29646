public import StrataEngine
public import StrataSystem
internal import Synchronization

/// A fork that an upper directory is taken into, and written back from: each time what has changed
/// since the last.
public final class OverlayWriteBack: Sendable {
  private let upper: OverlayUpper
  private let fork: Fork
  /// The numbers that programs are to see.
  public let numbers = OverlayNumbers()
  /// What the directory's file system can hold; nil where it cannot be known.
  public let limits: (any HostLimits)?
  private let unwritten: UnwrittenFiles
  /// What the directory holds; nil if all of it is to be written.
  private let last: Mutex<Namespace?>

  /// Makes the changes that the directory holds in the fork. Nobody else may have it meanwhile.
  /// - Parameter directory: open for reading.
  /// - Throws: what reading it says, ENOENT where /proc is not mounted.
  public init(_ directory: Descriptor, _ fork: Fork) throws(FileError) {
    upper = OverlayUpper(directory)
    try upper.clearStaging()
    unwritten = UnwrittenFiles(directory, fork)
    limits = OverlayLimits(directory, unwritten)
    self.fork = fork
    let hasRedirects = try upper.read(into: fork, numbers)
    last = Mutex(hasRedirects ? nil : fork.value)
  }

  /// Makes the directory hold what the fork shows. One at a time.
  /// - Throws: ENOSPC and other errors of the host: then it can be tried again.
  public func write() throws(FileError) {
    try last.withLock { last throws(FileError) in
      if let last, fork.value.isUnchanged(since: last) { return }
      // What is changed meanwhile comes with the next.
      let counted = unwritten.begin()
      var isWritten = false
      defer { if !isWritten { unwritten.takeBack(counted) } }
      let now = try fork.workspace.snapshot(of: fork, named: "now-\(fork.id.rawValue)")
      defer { try? fork.workspace.drop(now) }
      try upper.write(now, numbers, since: last)
      last = now.value
      isWritten = true
    }
  }
}
