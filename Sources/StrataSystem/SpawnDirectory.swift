internal import CStrataSystem
public import Glibc
public import SystemPackage

/// Has a program that is started with these actions begin in a directory.
/// - Throws: ENOMEM; EINVAL for a NUL in the path.
public func beginIn(
  _ directory: [UInt8], _ actions: inout posix_spawn_file_actions_t
) throws(Errno) {
  let path = try checked(directory)
  let error = path.withCPath { strata_spawn_in_directory(&actions, $0) }
  if error != 0 { throw Errno(rawValue: error) }
}
