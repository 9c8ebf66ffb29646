internal import CStrataSystem
internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataSystem
internal import SystemPackage

/// What makes the process of a session in memory the owner of its workspace for who is in a run of it: a
/// socket in a directory that nobody else may enter. A lock on that says that the owner lives.
final class MemoryOwner: Sendable {
  let directory: [UInt8]
  private let listener: Descriptor
  private let lock: Descriptor

  init(_ open: OpenWorkspace) throws(FileError) {
    guard let occupancy = Occupancy() else { throw FileError.last }
    let place = MachineHost().environment("TMPDIR") ?? Array("/tmp".utf8)
    Self.tidy(place)
    var template = try cPath(place + Self.start + "XXXXXX".utf8)
    guard mkdtemp(&template) != nil else { throw FileError.last }
    let path = template.dropLast().map { UInt8(bitPattern: $0) }
    directory = path
    do throws(Errno) {
      lock = try Descriptor(path: path, [.read, .directory])
      _ = flock(lock.rawValue, LOCK_EX | LOCK_NB)
      listener = try Descriptor(path: path, [.path, .directory]).listen(at: OwnerProcess.socketName)
    } catch {
      _ = path.withCPath { rmdir($0) }
      throw FileError(error)
    }
    let listener = listener
    // The thread ends with the process.
    try Thread {
      while true {
        do throws(Errno) {
          OwnerConnection(Wire(try listener.accept()), open, occupancy).start()
        } catch {
          if error == .invalidArgument { return }
          usleep(10_000)
        }
      }
    }.detach()
  }

  private static let start = Array("/strata-run.".utf8)

  /// Takes away what processes of the same user have left that were killed a while ago. Not in a fork,
  /// where locks of those outside are not seen, nor what machines may share.
  private static func tidy(_ place: [UInt8]) {
    guard let root = try? Descriptor(path: place, [.path, .directory]),
      strata_sees_all_locks(root.rawValue) > 0
    else { return }
    for name in (try? MachineHost().list(place)) ?? [] where name.starts(with: start.dropFirst()) {
      let path = place + [UInt8(ascii: "/")] + name
      var status = stat()
      guard path.withCPath({ lstat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFDIR,
        status.st_uid == geteuid(), time(nil) - status.st_mtim.tv_sec > 60
      else { continue }
      guard let directory = try? Descriptor(path: path, [.read, .directory, .noFollow]),
        flock(directory.rawValue, LOCK_EX | LOCK_NB) == 0
      else { continue }
      remove(path)
    }
  }

  private static func remove(_ directory: [UInt8]) {
    let socket = directory + [UInt8(ascii: "/")] + OwnerProcess.socketName
    _ = socket.withCPath { unlink($0) }
    _ = directory.withCPath { rmdir($0) }
  }

  /// Nobody finds it any more.
  func leave() {
    listener.shutDown()
    Self.remove(directory)
  }
}
