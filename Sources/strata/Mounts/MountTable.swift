internal import CStrataSystem
internal import Glibc
internal import StrataEngine
internal import StrataFUSE
internal import StrataShell
internal import StrataStorage
internal import Synchronization

/// The mounts of a workspace that this process serves.
final class MountTable: Sendable {
  struct Row: Sendable {
    let mount: Mount
    let directory: [UInt8]
  }

  private struct State {
    var rows: [Row] = []
    /// What keeps this process there as long as something is mounted.
    var occupancy: Occupancy?
  }

  private let state = Mutex(State())
  /// Where the directories are written down, so that a process that comes after us can take away
  /// what we have left; nil if nobody will look.
  private let record: [UInt8]?

  init(record: [UInt8]?) {
    self.record = record
    guard let record, let text = try? MachineHost().contents(of: record) else { return }
    for directory in text.split(separator: 0) { Mount.clear(Array(directory)) }
  }

  func keep(_ occupancy: Occupancy) { state.withLock { $0.occupancy = occupancy } }

  var all: [Row] { state.withLock { $0.rows } }

  /// Puts a fork over a directory, as the superuser does, or as fusermount3 does it for others.
  /// - Throws: what the kernel says of it; what is missing for who is not the superuser.
  @discardableResult
  func mount(
    _ fork: Fork, _ options: MountOptions, at directory: [UInt8]
  ) throws(FileError) -> Mount {
    let mount: Mount
    var uncover: [@Sendable () -> Void] = []
    defer { for body in uncover { body() } }
    do throws(FileError) {
      for case let base as HostDirectory in fork.workspace.bases {
        if let body = try base.cover(directory) { uncover.append(body) }
      }
      if strata_may_mount() {
        mount = try Mount(fork, options, at: directory)
      } else {
        mount = try Fusermount(directory).mount(fork, options)
      }
    } catch {
      throw FileError(
        error.errno, "\(ShownName(directory)): \(error.reason ?? error.errno.description)")
    }
    let bodies = uncover
    uncover = []
    add(mount, at: directory) { for body in bodies { body() } }
    return mount
  }

  /// Knows of a mount that somebody else has put somewhere.
  func add(
    _ mount: Mount, at directory: [UInt8], whenEnded body: @escaping @Sendable () -> Void = {}
  ) {
    let occupancy = state.withLock { state in
      state.rows.append(Row(mount: mount, directory: directory))
      return state.occupancy
    }
    occupancy?.retain()
    writeDown()
    mount.whenEnded { [weak self] in
      body()
      self?.remove(mount)
      occupancy?.release()
    }
  }

  private func remove(_ mount: Mount) {
    state.withLock { $0.rows.removeAll { $0.mount === mount } }
    writeDown()
  }

  /// At the end of the process.
  func stopAll() {
    for row in all { row.mount.stop() }
  }

  private func writeDown() {
    guard let record, let path = try? cPath(record) else { return }
    let text = Array(all.map { $0.directory + [0] }.joined())
    // It only helps to tidy up: what cannot be written down is not.
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { return }
    _ = write(file, text, text.count)
    close(file)
  }
}
