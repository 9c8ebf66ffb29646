internal import Glibc
internal import StrataEngine

/// What plugins are still to be told of programs. A program goes on meanwhile, and waits only when a
/// plugin has fallen behind so far that its share is full, unless the handler would rather miss an
/// event then.
final class Deliveries: @unchecked Sendable {
  struct Item: Sendable {
    let event: Event
    let fork: Fork
    let plugin: Plugin
    let handler: Handler
  }

  /// Events that may wait for one plugin.
  static let capacity = 1024

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let hasItem = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let hasRoom = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var items: [Item] = []
  private var first = 0
  /// Events that were put, ever.
  private var total = 0
  private var shares: [ObjectIdentifier: Int] = [:]
  private var isOver = false

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(hasItem, nil)
    pthread_cond_init(hasRoom, nil)
  }

  deinit {
    pthread_cond_destroy(hasRoom)
    pthread_cond_destroy(hasItem)
    pthread_mutex_destroy(mutex)
    hasRoom.deallocate()
    hasItem.deallocate()
    mutex.deallocate()
  }

  private func locked<R>(_ body: () -> R) -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  /// - Returns: false if the event was dropped.
  func put(_ item: Item) -> Bool {
    locked {
      let share = ObjectIdentifier(item.plugin)
      while shares[share, default: 0] >= Self.capacity {
        if item.handler.dropsWhenFull || isOver { return false }
        pthread_cond_wait(hasRoom, mutex)
      }
      items.append(item)
      total += 1
      shares[share, default: 0] += 1
      pthread_cond_signal(hasItem)
      return true
    }
  }

  /// Events that were put so far.
  var count: Int { locked { total } }

  /// The next one, if there is any of the first so many that were put.
  func take(upTo end: Int) -> Item? {
    locked {
      guard first < items.count, total - (items.count - first) < end else { return nil }
      let item = items[first]
      first += 1
      if first == items.count {
        items.removeAll(keepingCapacity: true)
        first = 0
      } else if first > Self.capacity {
        items.removeSubrange(..<first)
        first = 0
      }
      let share = ObjectIdentifier(item.plugin)
      shares[share] = (shares[share] ?? 1) - 1
      if shares[share] == 0 { shares[share] = nil }
      pthread_cond_broadcast(hasRoom)
      return item
    }
  }

  /// Waits for an event.
  /// - Returns: false when there will be none any more.
  func wait() -> Bool {
    locked {
      while first == items.count, !isOver { pthread_cond_wait(hasItem, mutex) }
      return !isOver
    }
  }

  /// Nobody waits any more.
  func end() {
    locked {
      isOver = true
      pthread_cond_broadcast(hasItem)
      pthread_cond_broadcast(hasRoom)
    }
  }
}
