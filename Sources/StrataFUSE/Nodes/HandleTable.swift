internal import Glibc
internal import StrataEngine
internal import Synchronization

/// What is open: the numbers that the kernel has for descriptors.
final class HandleTable: Sendable {
  struct Handle: Sendable {
    let file: OpenFile
    /// The kernel's number of the node.
    let number: UInt64
    let isPassthrough: Bool
    /// Whether it writes past the kernel's cache.
    let isDirect: Bool
  }

  private struct State {
    var slots: [Handle?] = []
    var free: [Int] = []
    /// How the files of a number are open: through the kernel's cache, or past us.
    var modes: [UInt64: Mode] = [:]
  }

  /// A number's files are all open in one way.
  struct Mode: Sendable {
    var opens = 0
    var backing: Backing?
    /// Whether nobody else may open it yet, see ``HandleTable/settle(_:)``.
    var isBeginning = false
  }

  private let state = Mutex(State())

  /// Handles begin with 1; directories have 0.
  func add(_ handle: Handle) -> UInt64 {
    state.withLock { state in
      if let slot = state.free.popLast() {
        state.slots[slot] = handle
        return UInt64(slot) + 1
      }
      state.slots.append(handle)
      return UInt64(state.slots.count)
    }
  }

  /// - Throws: EBADF for a handle that is not open.
  func get(_ handle: UInt64) throws(FileError) -> Handle {
    let found = state.withLock { state -> Handle? in
      guard handle > 0, handle <= UInt64(state.slots.count) else { return nil }
      return state.slots[Int(handle) - 1]
    }
    guard let found else { throw FileError(.badFileDescriptor) }
    return found
  }

  /// - Throws: EBADF for a handle that is not open.
  func file(_ handle: UInt64) throws(FileError) -> OpenFile { try get(handle).file }

  /// Whether programs may have stored something into the file that the kernel has not handed over: who
  /// has mapped a file has it open until the mapping is gone.
  func mayBeMapped(_ number: UInt64) -> Bool {
    state.withLock { state in
      state.modes[number] != nil
        && state.slots.contains {
          guard let handle = $0, handle.number == number, !handle.isDirect else { return false }
          return handle.file.options.contains(.write)
        }
    }
  }

  /// - Returns: what was open, and what the kernel had as its backing if nobody has it any more.
  func remove(_ handle: UInt64) -> (Handle, Backing?)? {
    state.withLock { state in
      guard handle > 0, handle <= UInt64(state.slots.count),
        let found = state.slots[Int(handle) - 1]
      else { return nil }
      state.slots[Int(handle) - 1] = nil
      state.free.append(Int(handle) - 1)
      guard var mode = state.modes[found.number] else { return (found, nil) }
      mode.opens -= 1
      if mode.opens > 0 {
        state.modes[found.number] = mode
        return (found, nil)
      }
      state.modes[found.number] = nil
      return (found, mode.backing)
    }
  }

  /// How to open a file of a number.
  enum Way {
    case cached
    case passthrough(Backing)
    /// It is open past us, and cannot be open otherwise at the same time.
    case conflict
    /// Nobody has it open.
    case free
  }

  /// Notes one more open of a number that is open already, if it can be open in that way.
  func join(_ number: UInt64, mayPass: Bool) -> Way {
    while true {
      if let way = joinNow(number, mayPass: mayPass) { return way }
      sched_yield()
    }
  }

  /// Nil while the first open of the number is under way.
  private func joinNow(_ number: UInt64, mayPass: Bool) -> Way? {
    state.withLock { state in
      guard var mode = state.modes[number] else { return .free }
      if mode.isBeginning { return nil }
      if mode.backing != nil, !mayPass { return .conflict }
      mode.opens += 1
      state.modes[number] = mode
      return mode.backing.map { .passthrough($0) } ?? .cached
    }
  }

  /// The first open of a number; another thread may have come first.
  /// - Parameter isBeginning: whether others must wait with theirs until this one is settled.
  /// - Returns: false if one has.
  func begin(_ number: UInt64, _ backing: Backing?, isBeginning: Bool) -> Bool {
    state.withLock { state in
      guard state.modes[number] == nil else { return false }
      state.modes[number] = Mode(opens: 1, backing: backing, isBeginning: isBeginning)
      return true
    }
  }

  /// What belongs to the first open of a number is done.
  func settle(_ number: UInt64) { state.withLock { $0.modes[number]?.isBeginning = false } }

  /// Takes back what ``join`` or ``begin`` has noted.
  func abandon(_ number: UInt64) -> Backing? {
    state.withLock { state in
      guard var mode = state.modes[number] else { return nil }
      mode.opens -= 1
      state.modes[number] = mode.opens > 0 ? mode : nil
      return mode.opens > 0 ? nil : mode.backing
    }
  }

  /// Everything that is open, for who has to say of each what became of it.
  var all: [Handle] { state.withLock { $0.slots.compactMap { $0 } } }
}

/// A file that the kernel reads by itself.
struct Backing: Sendable {
  /// The kernel's name for it.
  let id: Int32
}
