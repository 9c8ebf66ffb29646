internal import Synchronization
internal import SystemPackage

/// What an open file may do.
public struct OpenOptions: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  public static let read = OpenOptions(rawValue: 1)
  public static let write = OpenOptions(rawValue: 2)
  /// Every write goes to the end of the file.
  public static let append = OpenOptions(rawValue: 4)
  /// The file is emptied on opening.
  public static let truncate = OpenOptions(rawValue: 8)
}

/// A file that is open in a fork. It outlives the file's last name, and a fork or an undo meanwhile:
/// after an undo it goes on by itself, as a file does that was unlinked.
///
/// Whether content from below is copied up or redirected is asked once, at the first change through
/// this open, and the answer holds for it.
public final class OpenFile: Sendable {
  public let node: NodeID
  public let options: OpenOptions
  let fork: Fork
  let generation: Int
  let caller: Caller
  /// The name that it was opened by; nil where that is not known.
  private let place: Place?
  let reader: BelowReader
  private let decision = Mutex<(FirstWrite, rule: String)?>(nil)

  init(
    _ node: NodeID, at place: Place?, _ options: OpenOptions, in fork: Fork, generation: Int,
    by caller: Caller
  ) {
    self.node = node
    self.place = place
    self.options = options
    self.fork = fork
    self.generation = generation
    self.caller = caller
    reader = BelowReader(fork.workspace.context.bases)
  }

  deinit { fork.close(node, generation) }

  private var value: Namespace {
    get throws(FileError) { try fork.value(of: node, since: generation) }
  }

  public func attributes() throws(FileError) -> Attributes { try value.attributes(node) }

  // MARK: Reading

  /// Reads up to `buffer.count` bytes at an offset; fewer only at the end of the file.
  /// - Throws: EBADF if not open for reading, EISDIR, ESTALE if a base's file changed meanwhile.
  public func read(
    into buffer: UnsafeMutableRawBufferPointer, at offset: Int64
  ) throws(FileError) -> Int {
    guard options.contains(.read) else { throw FileError(.badFileDescriptor) }
    return try value.read(node, into: buffer, at: offset, reader)
  }

  public func read(_ count: Int, at offset: Int64) throws(FileError) -> [UInt8] {
    let rest = try attributes().size - max(offset, 0)
    let count = Int(min(Int64(count), max(rest, 0)))
    var failure: FileError?
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      do throws(FileError) {
        initialized = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// The first range of data that ends behind an offset; nil when only a hole follows.
  public func data(after offset: Int64) throws(FileError) -> Range<Int64>? {
    try value.data(node, after: offset, reader)
  }

  /// Gives the body a descriptor of the base's file that has all the content, if there is such a
  /// file and nothing of it was changed. It is good for reading only, whoever gets it.
  /// - Returns: nil otherwise.
  public func withWholeFileBelow<R>(_ body: (Int32) -> R) -> R? {
    guard let value = try? value, let below = try? value.wholeFileBelow(node) else { return nil }
    return fork.workspace.context.bases.withDescriptor(of: below, body)
  }

  /// Whether a base's file has all the content, and nothing of it was changed.
  public var isWhollyBelow: Bool {
    guard let value = try? value else { return false }
    return (try? value.wholeFileBelow(node)) ?? nil != nil
  }

  // MARK: Writing

  /// Writes all the bytes and returns their number.
  /// - Parameter drops: what goes of set-user-ID and set-group-ID; nil for what it is for the caller
  ///   of the open.
  /// - Parameter landing: where the bytes have landed, if they begin where that does.
  /// - Throws: EBADF if not open for writing, EFBIG, and what the policy says.
  public func write(
    _ bytes: UnsafeRawBufferPointer, at offset: Int64, drops: PrivilegeDrop? = nil,
    landing: Landing? = nil
  ) throws(FileError) -> Int {
    guard offset >= 0 || options.contains(.append) else { throw .invalid }
    guard !bytes.isEmpty else {
      try checkWritable()
      return 0
    }
    try change(bytes: bytes.count, drops) { size in
      .write(bytes, at: self.options.contains(.append) ? size : offset, landing)
    }
    return bytes.count
  }

  /// Writes all the bytes at the end of the file, wherever that has come to be.
  /// - Returns: where that was.
  /// - Throws: as ``write(_:at:drops:landing:)`` does.
  public func append(
    _ bytes: UnsafeRawBufferPointer, drops: PrivilegeDrop? = nil
  ) throws(FileError) -> Int64 {
    try change(bytes: bytes.count, drops) { .write(bytes, at: $0) }
  }

  public func write(
    _ bytes: [UInt8], at offset: Int64, drops: PrivilegeDrop? = nil
  ) throws(FileError) -> Int {
    try bytes.withBytes { bytes throws(FileError) in
      try write(bytes, at: offset, drops: drops)
    }
  }

  public func truncate(to size: Int64, drops: PrivilegeDrop? = nil) throws(FileError) {
    guard size >= 0 else { throw .invalid }
    try change(bytes: 0, drops) { _ in .truncate(to: size) }
  }

  public func allocate(
    _ range: Range<Int64>, _ mode: AllocateMode, drops: PrivilegeDrop? = nil
  ) throws(FileError) {
    guard range.lowerBound >= 0, !range.isEmpty else { throw .invalid }
    try change(bytes: 0, drops) { _ in .allocate(range, mode) }
  }

  /// Everything acknowledged so far is durable when this returns; in memory there is nothing to do.
  public func sync() throws(FileError) { try fork.workspace.sync() }

  private func checkWritable() throws(FileError) {
    guard options.contains(.write) else { throw FileError(.badFileDescriptor) }
  }

  /// - Parameter make: the change of a file of a size.
  /// - Returns: the size before.
  @discardableResult
  private func change(
    bytes: Int, _ drops: PrivilegeDrop?, _ make: @escaping (Int64) -> ContentChange
  ) throws(FileError) -> Int64 {
    try checkWritable()
    func describe(_ event: inout Event) {
      guard let value = try? value else { return }
      event.size = fork.name(node, at: place, in: value, &event)?.size
      event.fileKind = .regular
      if let size = event.size, case .write(_, let offset, _) = make(size) { event.offset = offset }
      event.bytes = Int64(bytes)
    }
    try fork.ask(.write, caller, describe)
    let (how, rule) = try firstWrite()
    let former = try fork.change(of: node, since: generation, caller, at: place, rule: rule) {
      value, _, effects throws(FileError) in
      // A record that is kept would be a second reference to the content that is to be changed.
      let (former, gid) = (try value.record(node).size, try value.record(node).gid)
      let change = make(former)
      let size = change.size(from: 0)
      guard size >= 0, size <= Int64.max - Int64(Block.size) else { throw FileError(.fileTooLarge) }
      try value.change(
        node, change, how, reader, drops: drops ?? caller.drop(from: gid), &effects)
      return former
    }
    fork.tell(.write, caller, describe)
    return former
  }

  /// Has the policy decide now how content from below comes up, where one is there to be asked.
  /// - Throws: EBADF if not open for writing, and what the policy says.
  public func decideFirstWrite() throws(FileError) {
    try checkWritable()
    if fork.workspace.hooks.isActive { _ = try firstWrite() }
  }

  /// How content from below comes up, asked once; a file that is all the fork's own needs no answer.
  private func firstWrite() throws(FileError) -> (FirstWrite, rule: String?) {
    if let known = decision.withLock({ $0 }) { return known }
    let value = try value
    guard let from = try value.contentFromBelow(node) else { return (.redirect, nil) }
    let made = try fork.decide(node, at: place, in: value, from: from, by: caller)
    decision.withLock { $0 = made }
    return made
  }
}
