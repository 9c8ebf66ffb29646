internal import Glibc
internal import StrataEngine
internal import StrataFUSE
internal import StrataShell
internal import StrataStorage
internal import StrataSystem

/// `strata mount-helper`, which mount(8) calls as `/sbin/mount.fuse.strata`: comes back when the mount
/// is there. A process in the background serves it, or the owner of a workspace on disk.
enum MountHelper {
  static let name = "mount-helper"
  static let backgroundOption = "--serve-mount"
  private static let ready = "ready"

  /// Exit statuses of mount(8).
  private enum Status {
    static let usage: Int32 = 1
    static let failure: Int32 = 32
  }

  /// The arguments, if this process is a helper.
  static var wanted: [[UInt8]]? {
    let words = Launch.rawArguments(last: .max)
    guard words.first == Array(name.utf8) else { return nil }
    return Array(words.dropFirst())
  }

  /// The arguments, if this process is to serve a mount.
  static var served: [[UInt8]]? {
    let words = Launch.rawArguments(last: .max)
    guard words.first == Array(backgroundOption.utf8) else { return nil }
    return Array(words.dropFirst())
  }

  static func run(_ words: [[UInt8]]) -> Never {
    if HelperUsage.isWanted(words) { HelperUsage.show(HelperUsage.mount) }
    do throws(Complaint) {
      if HelperOptions.isRemount(words) { try remount(words) }
      let options = try HelperOptions(words)
      if options.workspace != nil { try options.checkPlaces() }
      if options.isDry { exit(0) }
      if options.workspace != nil {
        try mountWorkspace(options)
      } else {
        try startServing(words)
      }
      exit(0)
    } catch {
      error.show()
      exit(error.status == ExitStatus.failure ? Status.failure : Status.usage)
    }
  }

  /// The kernel does that without who serves the mount: mount(8) without a helper.
  private static func remount(_ words: [[UInt8]]) throws(Complaint) -> Never {
    let program = "mount"
    let arguments = [program, "-i"].map { Array($0.utf8) } + words
    if let arguments = try? CStrings(arguments) { execvp(program, arguments.pointers) }
    throw Complaint("\(program): \(FileError.last.text)")
  }

  private static func startServing(_ words: [[UInt8]]) throws(Complaint) {
    let greeting: [UInt8]
    do throws(FileError) {
      greeting = try Background.greeting([Array(backgroundOption.utf8)] + words)
    } catch {
      throw Complaint(error.text)
    }
    guard greeting != Array(ready.utf8) else { return }
    let reason = String(decoding: greeting, as: UTF8.self)
    throw Complaint(reason.isEmpty ? "the process that serves the mount died" : reason)
  }

  /// The workspace's owner serves the mount.
  private static func mountWorkspace(_ options: HelperOptions) throws(Complaint) {
    let host = MachineHost()
    let directory = host.absolutePath(options.workspace ?? [])
    let target = host.absolutePath(options.directory)
    let bases = options.bases.map(host.absolutePath)
    guard let path = try? cPath(directory), chdir(path) == 0 else {
      throw Complaint("\(ShownName(directory)): \(FileError.last.text)")
    }
    func perform(_ words: [[UInt8]]) throws(Complaint) {
      var launch = Launch(
        bases: [], plugins: options.policies, json: false, readsRc: false, color: .never,
        words: words)
      launch.isOutside = true
      guard launch.run() == 0 else { throw Complaint("the fork was not mounted") }
    }
    if MountedPlace(directory) == nil, try Launch.findWorkspace(from: directory) == nil {
      try perform([Array("init".utf8)] + bases)
    }
    let fork = Array(options.fork.utf8)
    // By its source `mount -a` sees that it is there already.
    let source = Array("fsname=".utf8) + options.mount.source
    let list = (["dev", "suid"].map { Array($0.utf8) } + [source] + options.passed)
      .joined(separator: [UInt8(ascii: ",")])
    let over = options.namesNoBase ? [] : bases.flatMap { [Array("--over".utf8), $0] }
    try perform(
      ["mount", "--make", "-o"].map { Array($0.utf8) } + [Array(list)] + over + [fork, target])
  }

  // MARK: The process in the background

  static func serve(_ words: [[UInt8]]) -> Never {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    do throws(Complaint) {
      var options = try HelperOptions(words)
      let host = MachineHost()
      options.bases = options.bases.map(host.absolutePath)
      options.directory = host.absolutePath(options.directory)
      try options.checkPlaces()
      options.mount.capacity = (options.upper ?? options.bases.first).flatMap {
        try? Descriptor(path: $0, [.path, .directory])
      }
      options.mount.isLogged = false
      var lock = try options.upper.map { path throws(Complaint) in
        try UpperLock(host.absolutePath(path))
      }
      let open = try OpenWorkspace(over: options.bases, areOverlay: options.areLower)
      for policy in options.policies { try open.load(plugin: policy, host) }
      let upper = try lock.map { lock throws(Complaint) in try upperDirectory(lock, open) }
      if let upper {
        (options.mount.numbering, options.mount.limits) = (upper.numbers, upper.limits)
        options.mount.whenSynced = { () throws(FileError) in try upper.write() }
      }
      let mount = try attach(open, options)
      lock?.announce(options.directory)
      if lock != nil, options.isNoted { UserMounts.add(options.directory, servedBy: getpid()) }
      // The main thread waits; the mount's own do the work.
      OwnerProcess.say(ready)
      OwnerProcess.loseStreams()
      _ = chdir("/")
      mount.waitUntilEnded()
      if let upper, let lock { finish(upper, lock) }
      exit(0)
    } catch {
      OwnerProcess.say(error.message)
      exit(1)
    }
  }

  /// What the mount held is nowhere else: a disk that is full is given time to be so no more.
  private static func finish(_ upper: OverlayWriteBack, _ lock: UpperLock) {
    UserMounts.remove(servedBy: getpid())
    lock.withdraw()
    while !lock.isGone {
      do throws(FileError) {
        return try upper.write()
      } catch {
        lock.tell(error.text)
        sleep(1)
      }
    }
  }

  private static func upperDirectory(
    _ lock: UpperLock, _ open: OpenWorkspace
  ) throws(Complaint) -> OverlayWriteBack {
    do throws(FileError) {
      return try OverlayWriteBack(lock.directory, open.workspace.main)
    } catch {
      throw Complaint("upperdir \(ShownName(lock.path)): \(error.text)")
    }
  }

  private static func attach(
    _ open: OpenWorkspace, _ options: HelperOptions
  ) throws(Complaint) -> Mount {
    do throws(FileError) {
      return try open.mounts.mount(
        open.workspace.main, options.mount, at: options.directory, by: .ofProcess())
    } catch {
      throw Complaint(error.text)
    }
  }
}
