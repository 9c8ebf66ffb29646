public import StrataEngine
public import StrataSystem

/// How a fork is mounted.
public struct MountOptions: Sendable {
  public var isReadOnly = false
  /// Whether other users than the one who mounts may come in.
  public var allowsOthers = true
  /// Whether the kernel may read files by itself where it can.
  public var usesPassthrough = true
  /// What /proc/mounts shows in the place of a device.
  public var source = Array("strata".utf8)
  public var hasDevices = false
  public var hasSetUser = false
  /// Whether files of the mount can be executed.
  public var runsPrograms = true
  /// Whether it is `noatime` for who asks; reading changes no access times anyway.
  public var showsNoAccessTimes = false
  /// A directory of the host on whose file system there is as much room as statfs tells.
  public var capacity: Descriptor?
  /// Who is alone in the mount's user namespace; nil where all users are.
  public var onlyUser: OnlyUser?
  /// What the log calls all that is done in the mount; nil for a mount that lasts, of which the log
  /// has an operation every few seconds.
  public var operation: String?
  /// Whether the log has anything of it: not where nobody can go back.
  public var isLogged = true
  /// What else is done when somebody syncs a directory of the mount.
  public var whenSynced: (@Sendable () throws(FileError) -> Void)?
  /// What leads processes in the mount to the workspace; nil where there is none to be led to.
  public var workspace: [UInt8]?
  /// The numbers of nodes that programs see; nil for the engine's own.
  public var numbering: (any NodeNumbering)?
  /// What all that is in the mount must keep to; nil for what the engine can.
  public var limits: (any HostLimits)?
  /// How many requests are worked on at once; nil for what suits the machine.
  public var workers: Int?

  public init() {}
}
