internal import Glibc
internal import StrataEngine
internal import StrataSystem

/// One thread that takes requests from a channel of its own and answers them.
struct Worker {
  /// The most bytes of content in one request, and of an answer.
  static let largestTransfer = 1 << 20
  /// How long to look for the next request before sleeping: most come in a row. While they do, as long
  /// as a program works on what a directory holds.
  private static let spinNanoseconds: Int64 = 50_000
  private static let busySpinNanoseconds: Int64 = 200_000
  /// After how long without a request programs are busy with something else.
  private static let quietMilliseconds: Int32 = 1

  /// After how many requests in a row, each of which was there already, another worker is to help: one
  /// program waits for an answer before it asks on.
  private static let crowd = 16

  private let device: Device
  private let server: Server
  private let crew: Crew
  /// Whether it is this worker that listens.
  private var isListening = false
  /// Requests that were there without waiting for them, in a row.
  private var inRow = 0
  private var processor = SharedProcessor()
  /// Requests; of those that are longer than a write's header, what comes behind lands first.
  private let input: UnsafeMutableRawBufferPointer
  private var landing = Landing()
  private let output: UnsafeMutableRawBufferPointer
  private var reply: Reply

  init(_ device: Device, _ server: Server, _ crew: Crew) {
    self.device = device
    self.server = server
    self.crew = crew
    input = .allocate(byteCount: Arrival.writeHeader + Landing.size, alignment: 16)
    let size = Self.largestTransfer + 2 * Block.size
    output = .allocate(byteCount: size, alignment: Block.size)
    // What is read is on a page's boundary.
    let start = Block.size - Reply.headerSize
    reply = Reply(UnsafeMutableRawBufferPointer(rebasing: output[start...]))
    device.setNonBlocking()
  }

  /// Until the mount is gone.
  mutating func run() {
    WorkerThread.takeShortTurns()
    crew.takeTurn(isListening: false)
    isListening = true
    while let request = next() { answer(request) }
    crew.noteQuiet()
    crew.wakeAll()
    input.deallocate()
    output.deallocate()
  }

  private mutating func answer(_ arrival: Arrival) {
    if isListening, server.mayTakeLong(arrival, forOne: crew.servesOne) {
      crew.handOver()
      isListening = false
    }
    defer {
      if !isListening {
        crew.takeTurn(isListening: false)
        isListening = true
      }
    }
    guard let answer = server.answer(arrival, &reply) else { return }
    guard !device.send(answer) else {
      return server.prepare(after: reply, forOne: crew.servesOne && !processor.isShared)
    }
    // The kernel has given up waiting, so it knows nothing of what was looked up for it.
    for number in reply.lookedUp { server.forget(number, 1) }
  }

  private mutating func next() -> Arrival? {
    if landing.isTaken { landing = landing.next() }
    var deadline: Int64 = 0
    var hasWaited = false
    while true {
      let count = receive()
      if count > 0 {
        inRow = hasWaited ? 0 : inRow + 1
        let arrival = arrived(count)
        let thread = Request(arrival)?.pid ?? 0
        let begins = crew.noteRequest(from: thread)
        if hasWaited {
          let now = Ticks.now
          if processor.waited(until: now) || begins, WorkerThread.leaveProcessor(of: thread) {
            processor.left(at: now)
          }
        }
        if inRow == Self.crowd {
          inRow = 0
          crew.callHelp()
        }
        return arrival
      }
      switch errno {
      case EAGAIN:
        if deadline == 0, crew.leaveIfOthersListen() { continue }
        let now = Ticks.now
        if deadline == 0 {
          deadline = now + (crew.isBusy ? Self.busySpinNanoseconds : Self.spinNanoseconds)
        }
        hasWaited = true
        if now < deadline, !processor.isShared {
          sched_yield()
          processor.yielded(from: now, to: Ticks.now)
          continue
        }
        guard sleep() else { return nil }
        deadline = 0
      // ENOENT: the request was interrupted before it could be had.
      case EINTR, ENOENT: continue
      default: return nil
      }
    }
  }

  private func receive() -> Int {
    var parts = (
      iovec(iov_base: input.baseAddress, iov_len: Arrival.writeHeader),
      iovec(iov_base: landing.bytes.baseAddress, iov_len: landing.bytes.count)
    )
    return withUnsafeBytes(of: &parts) { parts in
      readv(device.descriptor.rawValue, parts.assumingMemoryBound(to: iovec.self).baseAddress, 2)
    }
  }

  private func arrived(_ count: Int) -> Arrival {
    let header = Arrival.writeHeader
    guard count > header else { return Arrival(UnsafeRawBufferPointer(rebasing: input[..<count])) }
    if input.loadUnaligned(fromByteOffset: 4, as: UInt32.self) == Opcode.write.rawValue {
      return Arrival(
        write: UnsafeRawBufferPointer(rebasing: input[..<header]), count - header, in: landing)
    }
    UnsafeMutableRawBufferPointer(rebasing: input[header...])
      .copyMemory(from: UnsafeRawBufferPointer(rebasing: landing.bytes[..<(count - header)]))
    return Arrival(UnsafeRawBufferPointer(rebasing: input[..<count]))
  }

  /// - Returns: false if the mount is gone.
  private func sleep() -> Bool {
    var wanted = [
      pollfd(fd: device.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
      pollfd(fd: server.ending.rawValue, events: Int16(POLLIN), revents: 0),
    ]
    var count: Int32 = 0
    if crew.mayBeBusy {
      count = poll(&wanted, 2, Self.quietMilliseconds)
      if count == 0 { crew.noteQuiet() }
    }
    if count == 0 { count = poll(&wanted, 2, -1) }
    if count < 0 { return errno == EINTR }
    if wanted[1].revents != 0 { return false }
    return Int32(wanted[0].revents) & POLLERR == 0
  }
}
