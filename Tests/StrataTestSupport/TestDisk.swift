import Glibc

/// A directory for one test on a file system of some kind.
public final class TestDisk {
  /// Whatever the tests run on, or one on a loop device.
  public enum Kind: String, CaseIterable, Sendable { case here, xfs, btrfs }

  public let directory: TemporaryDirectory
  public let path: String
  private var isMounted = false

  /// Nil where there are no means to make or mount the file system.
  public init?(_ kind: Kind) throws {
    directory = try TemporaryDirectory("strata-disk")
    path = directory.appending("disk")
    mkdir(path, 0o755)
    guard kind != .here else { return }
    let image = directory.appending("image")
    let make = try ChildProcess([
      "sh", "-c",
      """
      command -v mkfs.\(kind.rawValue) && truncate -s 320M '\(image)' &&
      mkfs.\(kind.rawValue) -q '\(image)' && mount -o loop '\(image)' '\(path)'
      """,
    ])
    guard make.status == 0 else { return nil }
    isMounted = true
  }

  deinit { if isMounted { _ = try? ChildProcess(["umount", "-l", path]) } }
}
