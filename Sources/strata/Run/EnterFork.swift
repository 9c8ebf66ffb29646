internal import CStrataSystem
internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import SystemPackage

/// The way of a program into a fork: a process of its own, which goes into a mount namespace, mounts
/// the fork over the base's own path, and becomes the program. Who serves the fork has given it a mount,
/// or gets the connection to the kernel through a socket, which is closed when the run is over.
struct EnterFork {
  static let option = "--enter-fork"

  /// What is open when it begins, by number.
  enum Given {
    static let socket = HostCommand.firstDescriptor
    /// This program.
    static let program = HostCommand.firstDescriptor + 1
    /// The first of those that may not be there.
    static let others = HostCommand.firstDescriptor + 2
  }

  /// The base's path, which the fork is put over.
  var target: [UInt8]
  var fork: String
  var hasNetwork = true
  var isContained = false
  var hasWorkspace = false
  var hasMount = false
  /// Where the program begins; nil for the directory of who starts it.
  var directory: [UInt8]?
  /// Whether it must be there; else the nearest one above it will do that is in the fork.
  var mustBegin = false
  var command: [[UInt8]]

  /// The arguments of the process that is to do it.
  var arguments: [[UInt8]] {
    let flags =
      (hasNetwork ? "" : "n") + (isContained ? "c" : "") + (hasWorkspace ? "w" : "")
      + (hasMount ? "m" : "") + (mustBegin ? "b" : "")
    return [Self.option, fork, "-\(flags)"].map { Array($0.utf8) } + [target, directory ?? []]
      + command
  }

  /// What the command line asks for; nil in all other processes.
  static var wanted: EnterFork? {
    let words = Launch.rawArguments(last: .max)
    guard words.count > 5, words[0] == Array(option.utf8) else { return nil }
    func has(_ flag: Unicode.Scalar) -> Bool { words[2].contains(UInt8(ascii: flag)) }
    return EnterFork(
      target: words[3], fork: String(decoding: words[1], as: UTF8.self), hasNetwork: !has("n"),
      isContained: has("c"), hasWorkspace: has("w"), hasMount: has("m"),
      directory: words[4].isEmpty ? nil : words[4], mustBegin: has("b"),
      command: Array(words[5...]))
  }

  func run() -> Never {
    for number in [Given.socket, Given.program, workspace, mount].compactMap(\.self) {
      _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    }
    do throws(FileError) {
      try enter()
    } catch {
      Complaint("run: \(error.text)").show()
      exit(ExitStatus.notExecutable)
    }
    become()
  }

  /// The workspace's directory, or what stands for that of one in memory, open.
  private var workspace: Int32? { hasWorkspace ? Given.others : nil }

  /// A mount of the fork, attached nowhere.
  private var mount: Int32? { hasMount ? Given.others + (hasWorkspace ? 1 : 0) : nil }

  private func check(_ result: Int32, _ what: String) throws(FileError) {
    if result < 0 { throw FileError(Errno(rawValue: -result), what) }
  }

  private func enter() throws(FileError) {
    let here = beginning
    if !strata_may_mount() {
      try check(
        strata_new_user(),
        "only the superuser may mount here: this system gives others no namespace")
    }
    try check(strata_new_mounts(), "a mount namespace")
    // What is mounted below the base is to be there in the fork as well.
    let below = MountInfo.points(below: target).map { path in
      (path, (try? cPath(path)).map { strata_copy_mount(-100, $0, true) } ?? -1)
    }
    let fork: Int32
    if let mount { fork = mount } else { fork = try ownMount() }
    try check(strata_attach_mount(fork, try cPath(target)), "mounting at \(ShownName(target))")
    if target == [UInt8(ascii: "/")] { try check(strata_change_root(fork), "the root") }
    for (path, copy) in below where copy >= 0 {
      // Where the fork has no such directory any more, nothing can be there.
      if let path = try? cPath(path) { _ = strata_attach_mount(copy, path) }
      close(copy)
    }
    close(fork)
    if !hasNetwork { try check(strata_no_network(), "--net=no") }
    announce()
    try check(strata_supervise(isContained, workspace ?? -1), "a process")
    if isContained {
      try check(strata_mount_proc(), "/proc")
      try check(strata_drop_capabilities(), "capabilities")
    }
    if let here { try begin(in: here) }
  }

  private func begin(in directory: [UInt8]) throws(FileError) {
    let slash = UInt8(ascii: "/")
    if !mustBegin, !directory.isBelow([target]) {
      Complaint(
        "run: begins in \(ShownName(directory)), which is not in the fork: what is written there is the "
          + "host's"
      ).show()
    }
    var place = directory
    while chdir(try cPath(place)) != 0 {
      let error = FileError.last
      guard !mustBegin, place.count > target.count, let end = place.lastIndex(of: slash) else {
        throw FileError(error.errno, "\(ShownName(directory))")
      }
      place = end == 0 ? [slash] : Array(place[..<end])
    }
  }

  /// A mount of the fork that is attached nowhere; the connection behind it goes to who serves it.
  private func ownMount() throws(FileError) -> Int32 {
    let device = strata_fuse_open()
    try check(
      device, "/dev/fuse, which \(geteuid() == 0 ? "is missing" : "users must be able to open")")
    let source = Array("strata:\(fork)".utf8CString)
    let mount = source.withUnsafeBufferPointer { source in
      "strata".withCString { subtype in
        var how = strata_fuse_mount(
          source: source.baseAddress, subtype: subtype, uid: geteuid(), gid: getegid(),
          read_only: false, allow_other: true, no_devices: false, no_set_user: false,
          no_programs: false, no_access_times: false)
        return strata_fuse_make_mount(device, &how)
      }
    }
    try check(mount, "the fork's mount")
    let sent = strata_send(Given.socket, "d", 1, [device], 1)
    try check(Int32(sent), "who serves the fork")
    // From now on it is theirs: when they are gone, nobody may wait for them.
    close(device)
    return mount
  }

  /// Tells the program where clients find the owner: by the directory that the process stands in
  /// which waits for the program's end.
  private func announce() {
    setenv("STRATA_FORK", fork, 1)
    if hasWorkspace {
      setenv(RunSurroundings.workspaceVariable, "/proc/\(getpid())/cwd", 1)
    } else {
      unsetenv(RunSurroundings.workspaceVariable)
    }
  }

  /// Where the program begins, as it is found once the fork is mounted there.
  private var beginning: [UInt8]? {
    guard let directory, directory.first != UInt8(ascii: "/") else {
      return directory ?? workingDirectory
    }
    return workingDirectory.map { $0 + [UInt8(ascii: "/")] + directory } ?? directory
  }

  private var workingDirectory: [UInt8]? {
    guard let path = getcwd(nil, 0) else { return nil }
    defer { free(path) }
    return Array(UnsafeRawBufferPointer(start: path, count: strlen(path)))
  }

  private func isThere(_ program: [UInt8]) -> Bool {
    let slash = UInt8(ascii: "/")
    if program.contains(slash) { return true }
    let places = MachineHost().environment("PATH") ?? []
    return places.split(separator: UInt8(ascii: ":")).contains { place in
      (place + [slash] + program).withCPath { access($0, F_OK) } == 0
    }
  }

  private func become() -> Never {
    let name = command.first.map { ShownName($0).description } ?? ""
    if let words = try? CStrings(command), let program = words.pointers.first ?? nil {
      execvp(program, words.pointers)
    }
    var error = FileError.last
    // A directory of the path that may not be searched is no reason to say more than that.
    if error.errno == .permissionDenied, !isThere(command.first ?? []) { error = .notFound }
    Complaint("run: \(name): \(error.text)").show()
    exit(
      error.errno == .noSuchFileOrDirectory ? ExitStatus.unknownCommand : ExitStatus.notExecutable)
  }
}
