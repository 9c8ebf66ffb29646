internal import CStrataSystem
internal import Glibc
internal import StrataEngine
internal import StrataSystem
internal import Synchronization

/// Answers the kernel's requests by a fork's operations. Any thread may ask.
final class Server: Sendable {
  let fork: Fork
  let options: MountOptions
  let nodes = NodeTable()
  let handles = HandleTable()
  let habits = ListingHabits()
  let opened = OpenedDirectories()
  let ahead = WorkAhead()
  let device: Device
  /// Readable when serving is to end.
  let ending: Descriptor
  /// Bytes that were written and not yet handed to the store.
  let written = Atomic(0)
  /// Whether the disk had no room for what was written last.
  let isTight = Atomic(false)
  private static let longestWriteBack = 200
  /// Tells the kernel what other mounts of the fork have changed.
  let others = Others()
  /// What the log calls what is done; nil for no name of its own.
  let doing: Mutex<String?>
  /// What leads to the workspace, see ``MountOptions/workspace``.
  let mark: Mutex<[UInt8]?>
  /// What the kernel has agreed to.
  let agreed = Atomic<UInt64>(0)

  init(_ fork: Fork, _ options: MountOptions, device: Device, ending: Descriptor) {
    self.fork = fork
    self.options = options
    self.device = device
    self.ending = ending
    doing = Mutex(options.operation)
    mark = Mutex(options.workspace)
  }

  /// Bytes that are copied in less time than it takes to wake another worker.
  private static let quickTransfer = 64 << 10

  /// Whether others should be listened to while a request is worked on: it waits for a disk, or for a
  /// plugin.
  /// - Parameter forOne: whether there is probably nobody else. A write, to memory or to what the host
  ///   caches of the store, mostly takes a fraction of a millisecond, and with another worker another
  ///   buffer takes the next one.
  func mayTakeLong(_ arrival: Arrival, forOne: Bool) -> Bool {
    if fork.workspace.hooks.isActive { return true }
    guard let request = Request(arrival) else { return false }
    switch Opcode(rawValue: request.opcode) {
    case .write:
      return !forOne && (try? request.written()).map { $0.count > Self.quickTransfer } ?? false
    case .read: return (try? request.word(16)).map { Int($0) > Self.quickTransfer } ?? false
    case .sync, .syncDirectory, .syncFileSystem, .seek, .copyRange, .setAttributes, .allocate:
      return true
    default: return false
    }
  }

  /// - Returns: nil if the request wants no answer, or is none.
  func answer(_ arrival: Arrival, _ reply: inout Reply) -> UnsafeRawBufferPointer? {
    reply.reset()
    reply.validity = others.areThere ? .none : .long
    reply.onlyUser = options.onlyUser
    guard let request = Request(arrival) else { return malformed(arrival.bytes, &reply) }
    guard let opcode = Opcode(rawValue: request.opcode) else {
      return reply.finish(request.unique, error: ENOSYS)
    }
    switch opcode {
    case .forget:
      if let count = try? request.long(0) { forget(request.node, count) }
      return nil
    case .batchForget:
      forgetAll(request)
      return nil
    case .interrupt: return nil
    default: break
    }
    reply.numbering = options.numbering
    do throws(FileError) {
      try perform(opcode, request, &reply)
      if others.areThere { tellOthers(opcode, request) }
      return reply.finish(request.unique, error: 0)
    } catch {
      for number in reply.lookedUp { forget(number, 1) }
      reply.reset()
      return reply.finish(request.unique, error: error.errno.rawValue)
    }
  }

  /// What has a header can be refused.
  private func malformed(
    _ bytes: UnsafeRawBufferPointer, _ reply: inout Reply
  ) -> UnsafeRawBufferPointer? {
    guard bytes.count >= 16 else { return nil }
    let unique = bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    return reply.finish(unique, error: EINVAL)
  }

  private func perform(
    _ opcode: Opcode, _ request: Request, _ reply: inout Reply
  ) throws(FileError) {
    switch opcode {
    case .initialize: try initialize(request, &reply)
    case .destroy: break
    case .lookup: try lookUp(request, &reply)
    case .getAttributes: try getAttributes(request, &reply)
    case .setAttributes: try setAttributes(request, &reply)
    case .getStatus: try getStatus(request, &reply)
    case .readLink: reply.put(try fork.readLink(try node(request)))
    case .symlink: try makeSymlink(request, &reply)
    case .makeNode: try makeNode(request, &reply)
    case .makeDirectory: try makeDirectory(request, &reply)
    case .unlink: try fork.unlink(try request.name(0), in: try node(request), by: caller(request))
    case .removeDirectory:
      try fork.removeDirectory(try request.name(0), in: try node(request), by: caller(request))
    case .rename: try rename(request, names: 8)
    case .renameWithFlags: try rename(request, names: 16)
    case .link: try link(request, &reply)
    case .open: try open(request, &reply)
    case .create: try create(request, &reply)
    case .makeTemporary: try makeTemporary(request, &reply)
    case .read: try read(request, &reply)
    case .write: try write(request, &reply)
    case .release: try release(request)
    case .sync: try fork.sync()
    case .syncDirectory, .syncFileSystem:
      try fork.sync()
      try options.whenSynced?()
    case .allocate: try allocate(request)
    case .seek: try seek(request, &reply)
    case .copyRange: try copyRange(request, &reply)
    case .statFileSystem: try statFileSystem(&reply)
    case .openDirectory: try openDirectory(request, &reply)
    case .readDirectory: try readDirectory(request, &reply, plus: false)
    case .readDirectoryPlus: try readDirectory(request, &reply, plus: true)
    case .releaseDirectory: break
    case .setExtended: try setExtended(request)
    case .getExtended: try getExtended(request, &reply)
    case .listExtended: try listExtended(request, &reply)
    case .removeExtended: try removeExtended(request)
    // The kernel checks permissions itself, and does not ask again once it was told so.
    case .flush, .access: throw FileError(.noFunction)
    case .forget, .batchForget, .interrupt: break
    }
  }

  /// Called when a request is answered: has prepared what is likely to come next.
  /// - Parameter forOne: whether there is probably nobody else, who works on the answer just now.
  func prepare(after reply: borrowing Reply, forOne: Bool) {
    if let directory = reply.listed, let next = fork.listedNext(after: directory) {
      ahead.perform(here: forOne) { next.list() }
    }
    if MemoryAhead.shared.isWanted { ahead.perform { MemoryAhead.shared.prepare() } }
  }

  // MARK: What requests have in common

  /// The node that a request is about.
  /// - Throws: ESTALE for a number that the node has no more.
  func node(_ request: Request) throws(FileError) -> NodeID { try node(request.node) }

  func node(_ number: UInt64) throws(FileError) -> NodeID {
    if let node = nodes.current(number) { return node }
    // The content is another by now, everything else of the file is not.
    if case .attributes? = nodes.former(number) { return NodeTable.node(number) }
    throw FileError(.staleNFSFileHandle)
  }

  func caller(_ request: Request) -> Caller {
    let isWatched = fork.workspace.hooks.isActive
    return Caller(
      uid: request.uid, gid: request.gid, groups: request.supplementaryGroups, umask: 0,
      pid: Int32(truncatingIfNeeded: request.pid),
      command: isWatched ? Program.command(of: request.pid) : "", isProgram: true)
  }

  /// Answers with an entry that the kernel knows from now on.
  @discardableResult
  func put(entry node: NodeID, _ reply: inout Reply) throws(FileError) -> FileKind {
    let attributes = try fork.attributes(of: node)
    let number = nodes.lookUp(node)
    reply.lookedUp.append(number)
    reply.put(entry: number, attributes, entry: validity(ofEntry: attributes))
    return attributes.kind
  }

  /// A file that may get another number when it is written to is looked up by each of its names
  /// every time: the kernel would not know which names there are.
  func validity(ofEntry attributes: Attributes) -> Validity {
    attributes.kind == .regular && attributes.links > 1 && options.usesPassthrough ? .none : .long
  }

  // MARK: Forgetting

  func forget(_ number: UInt64, _ count: UInt64) {
    if nodes.forget(number, count) { fork.release(NodeTable.node(number)) }
  }

  private func forgetAll(_ request: Request) {
    guard let count = try? request.word(0) else { return }
    for index in 0..<Int(count) {
      guard let number = try? request.long(8 + 16 * index),
        let lookups = try? request.long(16 + 16 * index)
      else { return }
      forget(number, lookups)
    }
  }
}

extension Server: NodeHolder {
  func holds(_ node: NodeID) -> Bool { nodes.holds(node) }
  var operation: String? { doing.withLock { $0 } }
  var isLogged: Bool { options.isLogged }

  /// The kernel writes mapped pages back when it is told to forget them. It waits for requests that
  /// are under way, and those may wait for who has called this: so there is an end to the waiting.
  func writeBack() {
    let numbers = Set(handles.all.filter { $0.file.options.contains(.write) }.map(\.number))
    guard !numbers.isEmpty else { return }
    let (device, done) = (device, Alarm())
    let isStarted: Void? = try? WorkerThread.start {
      for number in numbers { Notification.changed(number).send(on: device) }
      done.ring()
    }
    if isStarted != nil { done.wait(milliseconds: Self.longestWriteBack) }
  }

  /// Has the kernel hand over what programs have stored into a file through mappings, where they may
  /// have. Only while another worker listens.
  func takeStores(to number: UInt64) {
    guard handles.mayBeMapped(number) else { return }
    others.send(.changed(number), on: device)
  }

  func changed(from old: Namespace, to new: Namespace) {
    // Descriptors keep what they have; whoever opens a file from now on finds what it is now.
    var touched: Set<NodeID> = []
    var entries: [(NodeID, Name)] = []
    new.differences(from: old, entry: { entries.append(($0, $1)) }, node: { touched.insert($0) })
    for handle in handles.all where touched.contains(handle.file.node) {
      guard nodes.current(handle.number) != nil, !fork.isCurrent(handle.file) else { continue }
      nodes.renew(handle.file.node, keeping: .file(handle.file))
    }
    for (directory, name) in entries {
      let stands = (try? new.lookup(name, in: directory)) != nil
      for number in nodes.numbers(of: directory) {
        let notification: Notification =
          stands ? .expired(name, in: number) : .gone(name, in: number)
        notification.send(on: device)
      }
    }
    for node in touched {
      for number in nodes.numbers(of: node) { Notification.changed(number).send(on: device) }
    }
  }
}
