internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataSystem
internal import SystemPackage

/// The process that a workspace on disk is open in. It is started by the first client, serves the
/// workspace's socket, and leaves a moment after nothing needs it any more.
struct OwnerProcess {
  static let option = "--own-workspace"
  static let socketName = Array("socket".utf8)
  /// Milliseconds that it stays on its own: the next command of a script finds it still there.
  private static let grace: Int32 = 200
  /// The same before the first client, which has just started it.
  private static let firstGrace: Int32 = 5000

  /// What it says to who started it, on standard output.
  enum Greeting {
    static let ready = "ready"
    /// Another process is the owner.
    static let busy = "busy"
  }

  /// The directory that the command line says this process is to own; nil for all others.
  static var workspaceToOwn: [UInt8]? {
    let words = Launch.rawArguments(last: .max)
    return words.count == 2 && words[0] == Array(option.utf8) ? words[1] : nil
  }

  static func run(_ path: [UInt8]) -> Never {
    closeDescriptors(from: 3)
    signal(SIGPIPE, SIG_IGN)
    _ = chdir("/")
    _ = umask(0)
    do throws(FileError) {
      // Closed when this returns, and only then is the lock let go.
      try own(path)
      Glibc.exit(0)
    } catch {
      say(error.errno == .resourceBusy ? Greeting.busy : error.text)
      Glibc.exit(1)
    }
  }

  private static func own(_ path: [UInt8]) throws(FileError) {
    let owner = try OwnerProcess(path)
    say(Greeting.ready)
    loseStreams()
    try owner.serve()
  }

  static func say(_ text: String) { try? DescriptorSink(1).write(Array("\(text)\n".utf8)) }

  static func loseStreams() {
    let null = Glibc.open("/dev/null", O_RDWR | O_CLOEXEC)
    guard null >= 0 else { return }
    for stream: Int32 in [0, 1, 2] { dup2(null, stream) }
    close(null)
  }

  // MARK: Serving

  private let open: OpenWorkspace
  private let directory: Descriptor
  private let listener: Descriptor
  private let occupancy: Occupancy

  private init(_ path: [UInt8]) throws(FileError) {
    open = try OpenWorkspace(owning: path)
    guard let occupancy = Occupancy() else { throw FileError.last }
    self.occupancy = occupancy
    open.mounts.shared.keep(occupancy)
    do throws(Errno) {
      directory = try Descriptor(path: path, [.path, .directory])
      // Only who holds the lock comes here: a socket that is there is a dead owner's.
      do throws(Errno) { try directory.unlink(Self.socketName) } catch .noSuchFileOrDirectory {}
      listener = try directory.listen(at: Self.socketName)
    } catch {
      throw FileError(error)
    }
  }

  private func serve() throws(FileError) {
    var patience = Self.firstGrace
    while true {
      var ends = [listener.rawValue, occupancy.emptied.read].map {
        pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
      }
      let isEmpty = occupancy.isEmpty
      let ready = poll(&ends, nfds_t(ends.count), isEmpty ? patience : -1)
      if ready == 0, occupancy.isEmpty { break }
      if ready > 0, ends[0].revents != 0 {
        accept()
        patience = Self.grace
      }
    }
    // Who connects from now on finds nobody, and starts the next owner, which waits for our lock.
    try? directory.unlink(Self.socketName)
    listener.shutDown()
    try open.workspace.checkpoint()
  }

  private func accept() {
    do throws(Errno) {
      let connection = OwnerConnection(
        Wire(try listener.accept()), open, occupancy)
      connection.start()
    } catch {
      // Whoever it was is gone again, or there is no descriptor or thread to be had just now.
      usleep(10_000)
    }
  }
}
