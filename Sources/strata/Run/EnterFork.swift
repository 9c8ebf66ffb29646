internal import CStrataSystem
internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import SystemPackage

/// The way of a program into a fork: a process of its own, which goes into a mount namespace, puts
/// the fork's mount over the base's own path, and becomes the program.
struct EnterFork {
  static let option = "--enter-fork"

  /// Where the mount is to be had: `/proc/PID/fd/NUMBER` of who serves it.
  var mount: [UInt8]
  /// The base's path, which the fork is put over.
  var target: [UInt8]
  var hasNetwork = true
  var isContained = false
  var directory: [UInt8]?
  var command: [[UInt8]]

  /// The arguments of the process that is to do it.
  var arguments: [[UInt8]] {
    let flags = (hasNetwork ? "" : "n") + (isContained ? "c" : "")
    return [Array(Self.option.utf8), mount, target, Array("-\(flags)".utf8), directory ?? []]
      + command
  }

  /// What the command line asks for; nil in all other processes.
  static var wanted: EnterFork? {
    let words = Launch.rawArguments(last: .max)
    guard words.count > 5, words[0] == Array(option.utf8) else { return nil }
    return EnterFork(
      mount: words[1], target: words[2], hasNetwork: !words[3].contains(UInt8(ascii: "n")),
      isContained: words[3].contains(UInt8(ascii: "c")),
      directory: words[4].isEmpty ? nil : words[4], command: Array(words[5...]))
  }

  func run() -> Never {
    do throws(FileError) {
      try enter()
    } catch {
      Complaint("run: \(error.text)").show()
      exit(ExitStatus.notExecutable)
    }
    become()
  }

  private func check(_ result: Int32, _ what: String) throws(FileError) {
    if result < 0 { throw FileError(Errno(rawValue: -result), what) }
  }

  private func enter() throws(FileError) {
    let here = self.directory ?? workingDirectory
    let fork = strata_open_path(try cPath(mount))
    try check(fork, "the fork's mount cannot be had")
    // What is mounted below the base is to be there in the fork as well.
    let below = MountInfo.points(below: target).map { path in
      (path, (try? cPath(path)).map { strata_copy_mount(-100, $0, false) } ?? -1)
    }
    try check(strata_new_mounts(), "a mount namespace")
    try check(strata_attach_mount(fork, try cPath(target)), "mounting at \(ShownName(target))")
    if target == [UInt8(ascii: "/")] { try check(strata_change_root(fork), "the root") }
    for (path, copy) in below where copy >= 0 {
      // Where the fork has no such directory any more, nothing can be there.
      if let path = try? cPath(path) { _ = strata_attach_mount(copy, path) }
      close(copy)
    }
    // Who serves it sees by this that the mount is ours now.
    guard let root = opendir(try cPath(target)) else {
      throw FileError(FileError.last.errno, "\(ShownName(target))")
    }
    _ = readdir(root)
    closedir(root)
    close(fork)
    if !hasNetwork { try check(strata_no_network(), "--net=no") }
    try check(strata_supervise(isContained), "a process")
    if isContained {
      try check(strata_mount_proc(), "/proc")
      try check(strata_drop_capabilities(), "capabilities")
    }
    if let here, chdir(try cPath(here)) != 0 {
      throw FileError(FileError.last.errno, "\(ShownName(here))")
    }
  }

  private var workingDirectory: [UInt8]? {
    guard let path = getcwd(nil, 0) else { return nil }
    defer { free(path) }
    return Array(UnsafeRawBufferPointer(start: path, count: strlen(path)))
  }

  private func become() -> Never {
    let name = command.first.map { ShownName($0).description } ?? ""
    if let words = try? CStrings(command), let program = words.pointers.first ?? nil {
      execvp(program, words.pointers)
    }
    let error = FileError.last
    Complaint("run: \(name): \(error.text)").show()
    exit(
      error.errno == .noSuchFileOrDirectory ? ExitStatus.unknownCommand : ExitStatus.notExecutable)
  }
}

/// What is mounted, as `/proc/self/mountinfo` has it.
enum MountInfo {
  /// The mount points below a directory, in the order in which they were mounted, each once.
  static func points(below directory: [UInt8]) -> [[UInt8]] {
    let slash = UInt8(ascii: "/")
    let prefix = directory == [slash] ? directory : directory + [slash]
    guard let text = try? MachineHost().contents(of: Array("/proc/self/mountinfo".utf8)) else {
      return []
    }
    var found: [[UInt8]] = []
    for line in text.split(separator: UInt8(ascii: "\n")) {
      let fields = line.split(separator: UInt8(ascii: " "))
      guard fields.count > 5 else { continue }
      let point = unescaped(fields[4])
      if point.count > prefix.count, point.starts(with: prefix), !found.contains(point) {
        found.append(point)
      }
    }
    return found
  }

  /// Without the octal escapes of blanks and backslashes.
  private static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = text
    while let byte = rest.popFirst() {
      let digits = rest.prefix(3)
      guard byte == UInt8(ascii: "\\"), digits.count == 3,
        let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
      else {
        bytes.append(byte)
        continue
      }
      bytes.append(value)
      rest = rest.dropFirst(3)
    }
    return bytes
  }
}
