internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import Synchronization
internal import SystemPackage

extension MachineHost {
  func start(_ command: HostCommand) throws(FileError) -> any HostProcess {
    try MachineProcess(command, programs)
  }
}

/// A host program under `sh -c`, with pipes to those of its streams that the shell works with.
final class MachineProcess: HostProcess {
  fileprivate struct State {
    var input: Int32?
    var output: Int32?
    var error: Int32?
    /// What was read while writing, for the next to ask.
    var kept: [HostChunk] = []
  }

  private let program: any StartedProgram
  private let state: Mutex<State>

  /// - Parameter programs: who starts it.
  init(_ command: HostCommand, _ programs: any ProgramStarter) throws(FileError) {
    var spawn = Spawn()
    defer { spawn.close() }
    spawn.lend(command.descriptors)
    let input = try spawn.connect(0, command.input)
    let output = try spawn.connect(1, command.output)
    let error = try spawn.connect(2, command.error)
    program = try programs.start(command, spawn)
    spawn.keepOwnEnds()
    for end in [input, output, error].compactMap({ $0 }) {
      _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
    }
    state = Mutex(State(input: input, output: output, error: error))
  }

  deinit {
    state.withLock { state in
      for end in [state.input, state.output, state.error] { if let end { _ = close(end) } }
    }
  }

  func write(_ bytes: [UInt8]) throws(FileError) {
    try state.withLock { (state) throws(FileError) in
      var done = 0
      while done < bytes.count {
        guard let input = state.input else { throw FileError(.brokenPipe) }
        let put = bytes[done...].withUnsafeBytes { Glibc.write(input, $0.baseAddress, $0.count) }
        if put > 0 {
          done += put
        } else if errno == EAGAIN {
          _ = try state.wait(andFor: input)
        } else if errno != EINTR {
          throw FileError.last
        }
      }
    }
  }

  func closeInput() {
    state.withLock { state in
      if let input = state.input { _ = close(input) }
      state.input = nil
    }
  }

  func read() throws(FileError) -> HostChunk {
    try state.withLock { (state) throws(FileError) in
      while true {
        if !state.kept.isEmpty { return state.kept.removeFirst() }
        if state.output == nil, state.error == nil { return .end }
        if try !state.wait(andFor: nil) {
          if program.isLost { throw FileError(.connectionReset) }
          return .output([])
        }
      }
    }
  }

  func readAvailable() throws(FileError) -> HostChunk? {
    try state.withLock { (state) throws(FileError) in
      if state.kept.isEmpty { try state.collect() }
      if !state.kept.isEmpty { return state.kept.removeFirst() }
      return state.output == nil && state.error == nil ? .end : nil
    }
  }

  func signal(_ number: Int32) { program.signal(number) }
  func wait() throws(FileError) -> Int32 { try program.wait() }
}

extension MachineProcess.State {
  /// Waits until the program has written something, or takes input; keeps what it wrote.
  /// - Returns: whether that came about in a tenth of a second.
  fileprivate mutating func wait(andFor input: Int32?) throws(FileError) -> Bool {
    var ends = [output, error].compactMap { $0 }.map {
      pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
    }
    if let input { ends.append(pollfd(fd: input, events: Int16(POLLOUT), revents: 0)) }
    let ready = poll(&ends, nfds_t(ends.count), 100)
    if ready < 0, errno != EINTR { throw FileError.last }
    try collect()
    return ready > 0
  }

  /// Takes what is there, without waiting.
  fileprivate mutating func collect() throws(FileError) {
    if let bytes = try Self.take(&output) { kept.append(.output(bytes)) }
    if let bytes = try Self.take(&error) { kept.append(.error(bytes)) }
  }

  private static func take(_ end: inout Int32?) throws(FileError) -> [UInt8]? {
    guard let descriptor = end else { return nil }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    let count = Glibc.read(descriptor, &buffer, buffer.count)
    if count > 0 { return Array(buffer[..<count]) }
    if count < 0 {
      if errno == EAGAIN || errno == EINTR { return nil }
      throw FileError.last
    }
    _ = close(descriptor)
    end = nil
    return nil
  }
}
