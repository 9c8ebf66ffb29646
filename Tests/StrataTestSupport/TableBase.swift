public import StrataEngine
import Synchronization
public import SystemPackage

/// A base in memory, of a table of paths: for tests, which can change it, make it fail and count
/// what was asked of it.
///
/// Paths are relative without a slash in front (`a/b`), the empty one is the root. Directories on
/// the way are made where they are missing.
public final class TableBase: BaseReader {
  public let title: String
  let state: Mutex<State>

  public init(_ title: String = "table", device: UInt64 = 1, _ items: [(String, Item)] = []) {
    self.title = title
    state = Mutex(State(device: device))
    for (path, item) in items { add(path, item) }
  }

  /// What was asked so far.
  public struct Counters: Equatable, Sendable {
    public var statuses = 0
    public var lists = 0
    public var opens = 0
    public var bytesRead: Int64 = 0
  }

  public var counters: Counters { state.withLock { $0.counters } }
  public func resetCounters() { state.withLock { $0.counters = Counters() } }

  /// Lets everything that is asked about the path fail with `errno`, until nil heals it.
  public func fail(_ path: String, with errno: Errno?) {
    state.withLock { $0.failures[State.split(Array(path.utf8))] = errno }
  }
}

extension TableBase {
  public func status(of path: BasePath) throws(FileError) -> BaseStatus? {
    try locked { state throws(FileError) in
      state.counters.statuses += 1
      return try state.object(at: path.names)?.status
    }
  }

  public func list(_ path: BasePath) throws(FileError) -> [BaseEntry] {
    try locked { state throws(FileError) in
      state.counters.lists += 1
      guard let directory = try state.object(at: path.names) else { throw .notFound }
      guard directory.status.kind == .directory else { throw .notDirectory }
      return directory.entries.compactMap { name, inode in
        state.objects[inode].map {
          BaseEntry(
            name: name, kind: $0.status.kind, inode: inode, isWhiteout: $0.status.isWhiteout)
        }
      }
    }
  }

  public func readLink(_ path: BasePath) throws(FileError) -> [UInt8] {
    try locked { state throws(FileError) in
      guard let object = try state.object(at: path.names) else { throw .notFound }
      guard object.status.kind == .symlink else { throw .invalid }
      return object.content
    }
  }

  public func extendedAttributes(of path: BasePath) throws(FileError) -> [Name: [UInt8]] {
    try locked { state throws(FileError) in
      guard let object = try state.object(at: path.names) else { throw .notFound }
      return object.xattrs
    }
  }

  public func open(_ path: BasePath) throws(FileError) -> any BaseFile {
    let inode = try locked { state throws(FileError) in
      state.counters.opens += 1
      guard let inode = try state.find(path.names), let object = state.objects[inode] else {
        throw .notFound
      }
      guard object.status.kind == .regular else { throw .invalid }
      state.objects[inode]?.opens += 1
      return inode
    }
    return TableFile(base: self, inode: inode, names: path.names)
  }

  /// `Mutex.withLock` loses the type of the error where the closure is not inferred to have one.
  func locked<Result: Sendable>(
    _ body: (inout State) throws(FileError) -> Result
  ) throws(FileError) -> Result {
    let outcome = state.withLock { state -> Swift.Result<Result, FileError> in
      do throws(FileError) {
        return .success(try body(&state))
      } catch {
        return .failure(error)
      }
    }
    return try outcome.get()
  }
}
