internal import CStrataSystem
public import SystemPackage

extension Descriptor {
  /// The directory through a mount of its own that nobody can write through, and that nobody sees.
  /// What is mounted below the directory is not in it.
  /// - Throws: EPERM for who may not mount.
  public func readOnlyMount() throws(Errno) -> Descriptor {
    let mount = Descriptor(owning: try opened(strata_copy_mount(rawValue, "", false)))
    _ = try opened(strata_make_read_only(mount.rawValue))
    return mount
  }
}
