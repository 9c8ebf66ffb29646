internal import CStrataSystem
internal import Glibc
internal import StrataEngine
internal import StrataFUSE
internal import StrataShell
internal import StrataStorage
internal import StrataSystem
internal import Synchronization
internal import SystemPackage

/// The mounts of a workspace that this process serves.
final class MountTable: Sendable {
  struct Row: Sendable {
    fileprivate let user: SharedMounts.User
    fileprivate let point: MountPoint
    let directory: [UInt8]
    /// The number of the mount's file system, where this process sees it at the directory.
    fileprivate let device: UInt64?
    fileprivate var whenEnded: @Sendable () -> Void = {}

    var mount: Mount { user.mount }

    /// Whether something else is seen at its directory: what was mounted there later, or what lies
    /// below if the mount was taken away by others.
    fileprivate var isCovered: Bool {
      guard let device, let found = MountTable.device(of: directory) else { return false }
      return found != device
    }
  }

  private static func device(of directory: [UInt8]) -> UInt64? {
    (try? Descriptor(path: directory, [.path, .noFollow]).status())?.device
  }

  private let rows = Mutex<[Row]>([])
  /// Who has which file system, runs as well.
  let shared = SharedMounts()
  /// Where the directories are written down, so that a process that comes after us can take away
  /// what we have left; nil if nobody will look.
  private let record: [UInt8]?

  init(record: [UInt8]?) {
    self.record = record
    guard let record, let text = try? MachineHost().contents(of: record) else { return }
    for directory in text.split(separator: 0) { Mount.clear(Array(directory)) }
  }

  /// Those that are at their places.
  var all: [Row] {
    rows.withLock { $0 }.filter { row in
      guard row.point.isAttached, row.mount.isServing else { return false }
      // Its file system would have ended, but for others who have mounts of it.
      guard let device = row.device, row.isCovered, shared.isShared(row.mount),
        !MountInfo.has(device, at: row.directory)
      else { return true }
      end(row.user)
      return false
    }
  }

  /// Puts a fork over a directory, as the superuser does, or as fusermount3 does it for others.
  /// - Throws: EBUSY where one of these mounts is already, ENOENT, ENOTDIR; what a plugin says; what
  ///   the kernel says of it; what is missing for who is not the superuser.
  @discardableResult
  func mount(
    _ fork: Fork, _ options: MountOptions, at directory: [UInt8], by caller: Caller
  ) throws(FileError) -> Mount {
    let event = Self.event(.mount, fork, directory, caller)
    let hooks = fork.workspace.hooks
    if hooks.isAsked(.mount) { _ = try hooks.ask(event, on: fork) }
    let row: Row
    var uncover: [@Sendable () -> Void] = []
    defer { for body in uncover { body() } }
    do throws(FileError) {
      try checkFree(directory)
      for base in fork.workspace.bases {
        let base = base as? HostDirectory ?? (base as? OverlayLower)?.directory
        if let body = try base?.cover(directory) { uncover.append(body) }
      }
      row = try attach(fork, options, at: directory)
    } catch {
      throw error.prefixed(ShownName(directory).description)
    }
    let bodies = uncover
    uncover = []
    add(row) {
      for body in bodies { body() }
      guard hooks.isTold(.unmount) else { return }
      hooks.tell(Self.event(.unmount, fork, directory, caller), on: fork)
    }
    if hooks.isTold(.mount) { hooks.tell(event, on: fork) }
    return row.mount
  }

  private func attach(
    _ fork: Fork, _ options: MountOptions, at directory: [UInt8]
  ) throws(FileError) -> Row {
    guard strata_may_mount() else {
      let (mount, point) = try Fusermount(directory).mount(fork, options)
      return Row(
        user: shared.add(mount, options), point: point, directory: directory,
        device: Self.device(of: directory))
    }
    let (user, mount) = try shared.enter(fork, options)
    do throws(FileError) {
      let device = try mount.device
      let point = try mount.attach(at: directory)
      user.isAt(directory, device: device)
      return Row(user: user, point: point, directory: directory, device: device)
    } catch {
      shared.leave(user)
      throw error
    }
  }

  private func checkFree(_ directory: [UInt8]) throws(FileError) {
    let isRoot: Bool
    do throws(Errno) {
      let status = try Descriptor(path: directory, [.path, .directory]).status()
      let root = try Descriptor(path: [UInt8(ascii: "/")], [.path, .directory]).status()
      isRoot = (status.device, status.inode) == (root.device, root.inode)
    } catch {
      throw FileError(error)
    }
    if isRoot {
      throw FileError(
        .resourceBusy, saying: "no program would see a mount over the root: use 'run --base /'")
    }
    guard let row = all.last(where: { $0.directory == directory && !$0.isCovered }) else { return }
    throw FileError(.resourceBusy, "fork \(row.mount.fork.name) is mounted there")
  }

  /// Seconds that it may take until what was in a mount is the fork's.
  private static let patience = 2

  /// Takes a mount away, if no plugin objects.
  /// - Parameter lazily: also while programs use it, which go on until they let go of it.
  /// - Throws: what a plugin says, EBUSY while programs use it, EINVAL where something else is at its
  ///   place, which would be taken away.
  func unmount(_ row: Row, lazily: Bool, by caller: Caller) throws(FileError) {
    let fork = row.mount.fork
    let hooks = fork.workspace.hooks
    if hooks.isAsked(.unmount) {
      _ = try hooks.ask(Self.event(.unmount, fork, row.directory, caller), on: fork)
    }
    guard !row.isCovered else {
      throw FileError(
        .invalidArgument,
        saying: "\(ShownName(row.directory)): another file system is at the place of the mount")
    }
    guard row.mount.isServing else { throw .invalid }
    try row.point.detach(lazily: lazily)
    if shared.leave(row.user) {
      end(row.user)
    } else if !lazily {
      row.mount.waitUntilEnded(seconds: Self.patience)
    }
  }

  private static func event(
    _ kind: EventKind, _ fork: Fork, _ directory: [UInt8], _ caller: Caller
  ) -> Event {
    var event = Event(kind)
    (event.fork, event.path2, event.caller) = (fork.name, directory, caller)
    return event
  }

  private func add(_ row: Row, whenEnded body: @escaping @Sendable () -> Void) {
    var row = row
    row.whenEnded = body
    let new = row
    rows.withLock { $0.append(new) }
    shared.occupancy?.retain()
    writeDown()
    row.mount.whenEnded { [weak self, user = row.user] in self?.end(user) }
  }

  /// A mount is gone, or its file system is.
  private func end(_ user: SharedMounts.User) {
    let row = rows.withLock { rows in
      rows.firstIndex { $0.user === user }.map { rows.remove(at: $0) }
    }
    guard let row else { return }
    shared.leave(user)
    row.whenEnded()
    writeDown()
    shared.occupancy?.release()
  }

  /// At the end of the process.
  func stopAll() {
    for row in rows.withLock({ $0 }) where !row.isCovered {
      try? row.point.detach(lazily: true)
      row.mount.stop()
    }
  }

  private func writeDown() {
    guard let record, let path = try? cPath(record) else { return }
    let text = Array(
      rows.withLock { $0 }.map { $0.directory + [0] }.joined())
    // It only helps to tidy up: what cannot be written down is not.
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { return }
    _ = write(file, text, text.count)
    close(file)
  }
}
