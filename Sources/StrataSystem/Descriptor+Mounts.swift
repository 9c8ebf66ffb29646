internal import CStrataSystem
public import SystemPackage

extension Descriptor {
  /// Which mount it was opened through; 0 on kernels that do not say (before 5.8).
  public var mountID: UInt64 { strata_mount_id(rawValue) }

  /// The directory through a mount of its own that nobody can write through, and that nobody sees.
  /// What is mounted below the directory is not in it.
  /// - Throws: EPERM for who may not mount.
  public func readOnlyMount() throws(Errno) -> Descriptor {
    let mount = Descriptor(owning: try opened(strata_copy_mount(rawValue, "", false)))
    _ = try opened(strata_make_read_only(mount.rawValue))
    return mount
  }
}
