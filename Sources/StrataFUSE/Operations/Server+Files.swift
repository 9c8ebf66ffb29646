internal import Glibc
internal import StrataEngine
internal import SystemPackage

/// The requests on files.
extension Server {
  /// Up to this many bytes, reading a file costs less than opening it once more for the kernel.
  private static let smallFile: Int64 = 32 << 10
  /// From more bytes than this on, the kernel reads a file of the base by itself. A smaller one costs up to
  /// twice as much to read for the first time, and less from then on; and who has it open sees what others
  /// write.
  private static let mediumFile: Int64 = 256 << 10

  func open(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let node = try node(request)
    let flags = Int32(bitPattern: try request.word(0))
    let kills = try request.word(4) & 1 != 0
    let drops = kills ? privileges(node, request) : .nothing
    try open(node, request.node, flags, drops, caller(request), &reply)
  }

  func create(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let directory = try node(request)
    let flags = Int32(bitPattern: try request.word(0))
    let (mode, umask) = (try request.word(4), try request.word(8))
    let name = try request.name(16)
    let caller = caller(request)
    let made: NodeID
    var isNew = true
    do throws(FileError) {
      made = try create(.regular, name, in: directory, mode, umask: umask, by: caller)
    } catch {
      // Somebody else was first, without the kernel knowing.
      guard error.errno == .fileExists, flags & O_EXCL == 0 else { throw error }
      made = try fork.lookup(name, in: directory)
      isNew = false
    }
    try put(entry: made, &reply)
    guard let number = reply.lookedUp.last else { throw .invalid }
    do throws(FileError) {
      try open(made, number, isNew ? flags & ~O_TRUNC : flags, .nothing, caller, &reply)
    } catch {
      // Both or nothing: a policy may let it be made and not be opened.
      if isNew { try? fork.unlink(name, in: directory, by: caller) }
      throw error
    }
  }

  /// TMPFILE: a file without a name.
  func makeTemporary(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let directory = try node(request)
    let flags = Int32(bitPattern: try request.word(0))
    let (mode, umask) = (try request.word(4), try request.word(8))
    let caller = caller(request)
    let acl = try defaultACL(of: directory)?.applied(to: mode)
    let made = try fork.createUnnamed(
      in: directory, mode: acl?.mode ?? mode & ~umask, by: caller)
    if let list = acl?.0 {
      try fork.setExtendedAttribute(made, ACL.accessName, list.encoded, by: caller)
    }
    try put(entry: made, &reply)
    guard let number = reply.lookedUp.last else { throw .invalid }
    try open(made, number, flags & ~(O_TRUNC | O_EXCL), .nothing, caller, &reply)
  }

  private func options(_ flags: Int32) -> OpenOptions {
    var options: OpenOptions
    switch flags & O_ACCMODE {
    case O_RDONLY: options = [.read]
    // The kernel may read what a partial write is to be in.
    case O_WRONLY: options = [.read, .write]
    default: options = [.read, .write]
    }
    if flags & O_TRUNC != 0 { options.formUnion([.write, .truncate]) }
    return options
  }

  private func open(
    _ node: NodeID, _ number: UInt64, _ flags: Int32, _ drops: PrivilegeDrop, _ caller: Caller,
    _ reply: inout Reply
  ) throws(FileError) {
    let options = options(flags)
    let (file, backing, isFirst) = try opened(node, number, options, drops, caller)
    let isDirect = isFirst && writesDirectly(flags)
    let handle = handles.add(
      .init(file: file, number: number, isPassthrough: backing != nil, isDirect: isDirect))
    if let backing {
      reply.put(open: handle, [.passthrough, .noFlush], backing: backing.id)
    } else if isDirect {
      reply.put(open: handle, [.direct, .noFlush])
    } else {
      reply.put(open: handle, others.areThere ? [.noFlush] : [.keepsCache, .noFlush])
    }
  }

  /// Whether a program that is the only one to have a file open writes past the kernel's cache: nobody
  /// reads or maps by a descriptor for writing alone, so what is written comes to us from the program's
  /// own memory. Not what is appended: the kernel sends parts of an asynchronous write at once, and
  /// each goes to the end.
  private func writesDirectly(_ flags: Int32) -> Bool {
    hasAgreed(.directMayMap) && flags & O_ACCMODE == O_WRONLY && flags & O_APPEND == 0
      && !others.areThere
  }

  private func opened(
    _ node: NodeID, _ number: UInt64, _ options: OpenOptions, _ drops: PrivilegeDrop,
    _ caller: Caller
  ) throws(FileError) -> (OpenFile, Backing?, isFirst: Bool) {
    let mayPass = !options.contains(.write)
    switch handles.join(number, mayPass: mayPass) {
    case .conflict:
      // The kernel looks the name up again, and finds the node under another number.
      nodes.renew(node, keeping: .attributes(try fork.attributes(of: node)))
      throw FileError(.staleNFSFileHandle)
    case .cached:
      return try joined(number) { () throws(FileError) in
        (try openFile(node, options, drops, caller), nil, false)
      }
    case .passthrough(let backing):
      return try joined(number) { () throws(FileError) in
        let file = try fork.open(node, options, by: caller)
        // Somebody else has changed it: what the kernel reads by itself is what it was.
        guard file.isWhollyBelow else {
          nodes.renew(node, keeping: .attributes(try fork.attributes(of: node)))
          throw FileError(.staleNFSFileHandle)
        }
        return (file, backing, false)
      }
    case .free: break
    }
    let file = try openFile(node, options, drops, caller)
    let known = mayPass ? try file.attributes() : nil
    let isSmall = known.map { $0.size <= Self.smallFile } == true
    let isLarge = known.map { $0.size > Self.mediumFile } == true
    let backing = isLarge ? backing(of: file) : nil
    if handles.begin(number, backing, isBeginning: isSmall) {
      if isSmall, let known {
        hand(over: file, number, known: known)
        handles.settle(number)
      }
      return (file, backing, true)
    }
    // Another open of the same file came first.
    if let backing { device.close(backing) }
    return try opened(node, number, options.subtracting(.truncate), .nothing, caller)
  }

  /// A policy is asked for all writes to come when a file is opened for them: what a program has
  /// mapped is written when nobody is there to be refused.
  private func openFile(
    _ node: NodeID, _ options: OpenOptions, _ drops: PrivilegeDrop, _ caller: Caller
  ) throws(FileError) -> OpenFile {
    let file = try fork.open(node, options, drops: drops, by: caller)
    if options.contains(.write) { try file.decideFirstWrite() }
    return file
  }

  private func joined(
    _ number: UInt64, _ body: () throws(FileError) -> (OpenFile, Backing?, isFirst: Bool)
  ) throws(FileError) -> (OpenFile, Backing?, isFirst: Bool) {
    do throws(FileError) {
      return try body()
    } catch {
      if let backing = handles.abandon(number) { device.close(backing) }
      throw error
    }
  }

  /// Puts a small file into the kernel's cache with its first open: a program that opens it will
  /// read it, and then need not ask. That is more than passing it through would save.
  ///
  /// Nobody else has the file open before this is done, so nobody holds a page of it that waits for an
  /// answer of ours, and nobody writes past the cache what then is older there.
  ///
  /// - Parameter known: what the file was before it is read.
  private func hand(over file: OpenFile, _ number: UInt64, known: Attributes) {
    let size = Int(known.size)
    guard size > 0, nodes.takesContent(number), let bytes = try? file.read(size, at: 0) else {
      return
    }
    Notification.content(bytes, of: number).send(on: device)
    // Who has changed it meanwhile has told the kernel to forget what was not there yet.
    guard let now = try? file.attributes(), now.size == known.size,
      now.modified == known.modified, now.changed == known.changed
    else { return others.sendLater(.changed(number), on: device) }
  }

  /// What the kernel can read by itself: a file that is wholly a base's.
  private func backing(of file: OpenFile) -> Backing? {
    guard hasAgreed(.passthrough) else { return nil }
    return file.withWholeFileBelow { device.openBacking($0) } ?? nil
  }

  func release(_ request: Request) throws(FileError) {
    guard let (_, backing) = handles.remove(try request.long(0)) else {
      throw FileError(.badFileDescriptor)
    }
    if let backing { device.close(backing) }
  }

  // MARK: Content

  func read(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let file = try handles.file(try request.long(0))
    let offset = try request.offset(8)
    let size = min(Int(try request.word(16)), reply.room)
    let target = UnsafeMutableRawBufferPointer(rebasing: reply.rest[..<size])
    reply.advance(try file.read(into: target, at: offset))
  }

  /// SEEK_DATA and SEEK_HOLE; the kernel does the rest itself.
  func seek(_ request: Request, _ reply: inout Reply) throws(FileError) {
    takeStores(to: request.node)
    let file = try handles.file(try request.long(0))
    let offset = Int64(bitPattern: try request.long(8))
    let size = try file.attributes().size
    guard 0..<size ~= offset else { throw FileError(.noSuchAddressOrDevice) }
    let data = try file.data(after: offset)
    let found: Int64
    switch Int32(bitPattern: try request.word(16)) {
    case Seek.data:
      guard let data else { throw FileError(.noSuchAddressOrDevice) }
      found = max(data.lowerBound, offset)
    case Seek.hole:
      guard let data, data.lowerBound <= offset else {
        found = offset
        break
      }
      var end = data.upperBound
      while end < size, let next = try file.data(after: end), next.lowerBound <= end {
        end = next.upperBound
      }
      found = min(end, size)
    default: throw .invalid
    }
    reply.put(UInt64(bitPattern: found))
  }
}

/// Of lseek(2).
private enum Seek {
  static let data: Int32 = 3
  static let hole: Int32 = 4
}
