internal import CStrataSystem
public import StrataEngine
public import StrataSystem
internal import SystemPackage

/// A mount that is attached nowhere. Its file system stays as long as there is one.
public struct DetachedMount: Sendable {
  public let descriptor: Descriptor

  init(_ descriptor: Descriptor) { self.descriptor = descriptor }

  /// Another mount of what is mounted at a directory.
  /// - Parameter device: the number of the file system that is meant.
  /// - Returns: nil if another one is there, or none.
  public init?(copying directory: [UInt8], of device: UInt64) {
    self.init(path: directory, from: Self.workingDirectory)
    guard (try? self.device) == device else { return nil }
  }

  /// The number of its file system.
  /// - Throws: ENOTCONN if nobody serves it.
  public var device: UInt64 {
    get throws(FileError) {
      do throws(Errno) { return try descriptor.status().device } catch { throw FileError(error) }
    }
  }

  /// AT_FDCWD
  private static let workingDirectory: Int32 = -100

  private init?(path: [UInt8], from directory: Int32) {
    let copy = path.withCPath { strata_copy_mount(directory, $0, false) }
    guard copy >= 0 else { return nil }
    self.init(Descriptor(owning: copy))
  }

  /// Another one. Kernels before 6.15 have none of a mount that is attached nowhere.
  public func copy() -> DetachedMount? {
    DetachedMount(path: [], from: descriptor.rawValue)
  }

  /// Has it allow what the options do, and no more.
  /// - Throws: EPERM.
  public func allow(_ options: MountOptions) throws(FileError) {
    let result = strata_set_mount(
      descriptor.rawValue, options.isReadOnly, !options.hasDevices, !options.hasSetUser,
      !options.runsPrograms, options.showsNoAccessTimes)
    guard result >= 0 else { throw FileError(Errno(rawValue: -result)) }
  }

  /// Attaches it to a directory, as seen in this process's mount namespace. A mount there that has lost
  /// its process is taken away first.
  /// - Throws: ENOENT or ENOTDIR of the directory, EPERM for who may not mount.
  public consuming func attach(at path: [UInt8]) throws(FileError) -> MountPoint {
    Mount.clear(path)
    let result = path.withCPath { strata_attach_mount(descriptor.rawValue, $0) }
    guard result >= 0 else { throw FileError(Errno(rawValue: -result)) }
    return MountPoint { lazily throws(FileError) in
      let result = path.withCPath { strata_unmount($0, lazily) }
      guard result >= 0 else { throw FileError(Errno(rawValue: -result)) }
    }
  }
}
