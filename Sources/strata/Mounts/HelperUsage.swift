internal import Glibc
internal import StrataEngine

/// What the helpers of mount(8) say when they are asked how they are used.
enum HelperUsage {
  private static let flags = ["-h", "--help"].map { Array($0.utf8) }

  /// Whether the words only ask.
  static func isWanted(_ words: [[UInt8]]) -> Bool { words.contains { flags.contains($0) } }

  /// Answers, and ends the process.
  static func show(_ text: String) -> Never {
    let isShown: Void? = try? DescriptorSink(1).write(Array(text.utf8))
    exit(isShown == nil ? 1 : 0)
  }

  static let mount = """
    usage: strata mount-helper SOURCE DIR [-o OPTION,…]
           mount -t fuse.strata SOURCE DIR [-o OPTION,…]

    Mounts a fork over SOURCE, a directory, or several with colons between, topmost first; 'none' where
    options name what lies below. Returns when the mount is there; umount takes it away.

      workspace=DIR      keep what is written in the workspace in DIR, made if there is none. Without it,
                         or upperdir, all is gone with the mount
      fork=NAME          show this fork of the workspace, made if there is none; main if not said
      policy=FILE        load this plugin; may be there several times
      lowerdir=A:B       what lies below, as overlayfs has it
      upperdir=DIR       what changed, as overlayfs has it: read at mount, written back at unmount and at
                         fsync of a directory. Needs no workdir=
      ro, noexec, nodev, nosuid, fsname=NAME, …   as mount(8) has them

    """

  static let unmount = """
    usage: strata umount-helper DIR
           umount DIR

    Takes away a mount of strata's, and waits until all that it holds is written.

    """
}
