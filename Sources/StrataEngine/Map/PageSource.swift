internal import Synchronization

/// Brings pages of one kind of map into memory when they are first looked at.
///
/// A lookup does not throw for a page that cannot be read: it finds nothing there, and the store's
/// ``StoreHealth`` counts it, which the operations on a fork compare before they answer.
final class PageSource<Key: PageKey, Value: Sendable>: Sendable {
  private let store: any PageStore
  private let health: StoreHealth
  private let read: @Sendable (inout PageReader) throws(FileError) -> (Key, Value)

  init(
    _ store: any PageStore, _ health: StoreHealth,
    _ read: @escaping @Sendable (inout PageReader) throws(FileError) -> (Key, Value)
  ) {
    self.store = store
    self.health = health
    self.read = read
  }

  /// Nil for a page that cannot be read.
  func page(_ record: UInt64) -> MapNode<Key, Value>? {
    do throws(FileError) {
      return try decode(try store.page(record), record)
    } catch {
      health.note(
        FileError(error.errno, "store: page \(record): \(error.reason ?? "cannot be read")"))
      return nil
    }
  }

  private func decode(
    _ bytes: [UInt8], _ record: UInt64
  ) throws(FileError) -> MapNode<Key, Value> {
    var reader = PageReader(bytes)
    let isLeaf = try reader.byte() == PageKind.leaf.rawValue
    let count = try reader.count()
    guard count > 0, count <= MapNode<Key, Value>.maximum(isLeaf: isLeaf) else {
      throw .damaged
    }
    let page = MapNode<Key, Value>.make(isLeaf: isLeaf, room: count)
    for index in 0..<count {
      if isLeaf {
        let (key, value) = try read(&reader)
        page.insert(key, value, at: index)
      } else {
        let child = try reader.number()
        page.append(try Key(from: &reader), record: child)
      }
    }
    page.header.record = record
    page.header.source = isLeaf ? nil : self
    return page
  }
}

/// The first byte of a page's record.
enum PageKind: UInt8 { case inner = 1, leaf = 2 }

/// Counts what could not be read of a store, and keeps the newest reason.
final class StoreHealth: Sendable {
  private let failures = Atomic<Int>(0)
  private let last = Mutex<FileError?>(nil)

  /// To be compared before and after: a difference says that something was missed meanwhile.
  @inline(__always)
  var count: Int { failures.load(ordering: .relaxed) }

  func note(_ error: FileError) {
    last.withLock { $0 = error }
    failures.add(1, ordering: .relaxed)
  }

  /// - Throws: the newest reason, if there were failures since the count was `before`.
  @inline(__always)
  func check(since before: Int) throws(FileError) {
    if count != before { throw last.withLock { $0 } ?? FileError(.ioError) }
  }
}

/// What keeps the pages of maps for good.
public protocol PageStore: AnyObject, Sendable {
  /// The bytes of a record.
  /// - Throws: EIO for one that is not there or damaged, and what the disk says.
  func page(_ record: UInt64) throws(FileError) -> [UInt8]
}
