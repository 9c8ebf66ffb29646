import StrataEngine
import StrataTestSupport
import SystemPackage

/// Where overlayfs, or the kernel around it, is known to do otherwise than the engine, and why that
/// is no fault of the engine.
struct OverlayDeviation: Sendable {
  let name: String
  let reason: String
  /// Whether an outcome of the kernel shows it.
  let applies: @Sendable (FileOperation, _ kernel: FileOutcome) -> Bool

  /// Those in which the kernel refuses what the engine can do; then the engine is not asked either.
  static let refusals: [OverlayDeviation] = [
    OverlayDeviation(
      name: "EXDEV on rename",
      reason:
        "without redirect_dir=on overlayfs moves no directory from below; the engine always does"
    ) { operation, kernel in
      guard case .rename = operation else { return false }
      return kernel == .failed(.improperLink)
    },
    OverlayDeviation(
      name: "EOPNOTSUPP for FALLOC_FL_ZERO_RANGE",
      reason: "the tmpfs that holds the upper layer has no such call"
    ) { operation, kernel in
      switch operation {
      case .allocate(_, _, .zeroRange), .allocateOpen(_, _, .zeroRange):
        kernel == .failed(.notSupported)
      default: false
      }
    },
  ]

  /// Those in which both refuse, but with different errors.
  static let errors: [OverlayDeviation] = [
    OverlayDeviation(
      name: "EINVAL for ftruncate without write access",
      reason: "POSIX leaves it open between EBADF and EINVAL; Linux takes EINVAL, the engine EBADF"
    ) { operation, kernel in
      guard case .truncateOpen = operation else { return false }
      return kernel == .failed(.invalidArgument)
    }
  ]

  /// What is not compared at all.
  static let uncompared: [(name: String, reason: String)] = [
    ("st_nlink of directories", "overlayfs counts no subdirectories: a merged directory has 1"),
    ("st_size and st_blocks of directories", "each file system counts its own way"),
    ("times that nobody has set", "each takes the time at which it came to the operation"),
    ("st_ctime of the lower tree", "nobody can set it, and copy-up changes it on overlayfs"),
    ("inode numbers", "the engine gives its own"),
  ]
}
