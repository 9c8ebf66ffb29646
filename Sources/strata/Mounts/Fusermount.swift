internal import Glibc
internal import StrataEngine
internal import StrataFUSE
internal import StrataShell
internal import StrataSystem
internal import SystemPackage

/// Mounting for who may not: by fusermount3 of the package fuse3, which has set-user-ID. It opens the
/// device as its caller, mounts, and hands the connection over.
struct Fusermount {
  private static let program = "fusermount3"
  private static let setting = "user_allow_other"
  private static let configuration = Array("/etc/fuse.conf".utf8)
  private let directory: [UInt8]

  init(_ directory: [UInt8]) { self.directory = directory }

  /// - Throws: why it could not, as fusermount3 says; ENOENT where it is not installed.
  func mount(
    _ fork: Fork, _ options: MountOptions
  ) throws(FileError) -> (Mount, MountPoint) {
    unmountDead()
    var options = options
    // Files of the base can be read by the kernel itself for the superuser only.
    options.usesPassthrough = false
    let (ours, theirs) = try pair()
    var spawn = Spawn()
    let error = try spawn.connect(2, .piped) ?? -1
    spawn.lend([theirs.rawValue])
    defer { spawn.close() }
    let words = ["-o", Self.list(options), "--"].map { Array($0.utf8) } + [directory]
    let channel = "_FUSE_COMMFD"
    let pid = try start(spawn, words, [channel: Array("\(HostCommand.firstDescriptor)".utf8)])
    let status = try LocalProgram(pid, ownsGroup: false).wait()
    guard status == 0, let device = received(ours) else {
      throw FileError(.notPermitted, Self.reason(error))
    }
    let directory = directory
    let point = MountPoint { lazily throws(FileError) in
      try Fusermount(directory).unmount(lazily: lazily)
    }
    do throws(FileError) {
      return (try Mount(fork, options, serving: device), point)
    } catch {
      try? point.detach(lazily: true)
      throw error
    }
  }

  private func pair() throws(FileError) -> (Descriptor, Descriptor) {
    do throws(Errno) { return try Descriptor.pair() } catch { throw FileError(error) }
  }

  /// What was sent before its end.
  private func received(_ socket: Descriptor) -> Descriptor? {
    _ = fcntl(socket.rawValue, F_SETFL, O_NONBLOCK)
    return (try? socket.receive())?.descriptors.first
  }

  private func start(
    _ spawn: Spawn, _ words: [[UInt8]], _ variables: [String: [UInt8]] = [:]
  ) throws(FileError) -> pid_t {
    guard let path = Self.path else {
      throw FileError(
        .notPermitted,
        saying:
          "only the superuser may mount, and others by \(Self.program), of the package fuse3, which is "
          + "not installed")
    }
    return try spawn.start([path] + words, variables)
  }

  private static var path: [UInt8]? {
    let places = MachineHost().environment("PATH") ?? []
    let directories =
      places.split(separator: UInt8(ascii: ":")).map(Array.init)
      + ["/usr/bin", "/bin"].map { Array($0.utf8) }
    return directories.map { $0 + Array("/\(program)".utf8) }
      .first { path in path.withCPath { access($0, X_OK) } == 0 }
  }

  /// Others may come in if the machine's administrator lets users decide that.
  private static func list(_ options: MountOptions) -> String {
    let text = (try? MachineHost().contents(of: configuration)) ?? []
    let lines = text.split(separator: UInt8(ascii: "\n")).map {
      String(decoding: $0, as: UTF8.self)
    }
    let mayAllow = lines.contains { $0.filter { $0 != " " } == setting }
    let source = String(decoding: options.source, as: UTF8.self)
      .flatMap { $0 == "," || $0 == "\\" ? ["\\", $0] : [$0] }
    var list = ["fsname=\(String(source))", "subtype=strata", "default_permissions"]
    if options.isReadOnly { list.append("ro") }
    if !options.runsPrograms { list.append("noexec") }
    if options.allowsOthers, mayAllow { list.append("allow_other") }
    return list.joined(separator: ",")
  }

  private static func reason(_ output: Int32) -> String {
    var text = [UInt8](repeating: 0, count: 1024)
    _ = fcntl(output, F_SETFL, O_NONBLOCK)
    let count = max(0, read(output, &text, text.count))
    let said = String(decoding: text[..<count], as: UTF8.self)
    let line = said.split(separator: "\n").first.map(String.init)
    return line ?? "\(program) failed and does not say why"
  }

  private func unmount(lazily: Bool) throws(FileError) {
    var spawn = Spawn()
    let error = try spawn.connect(2, .piped) ?? -1
    defer { spawn.close() }
    let flags = lazily ? ["-u", "-z", "--"] : ["-u", "--"]
    let pid = try start(spawn, flags.map { Array($0.utf8) } + [directory])
    guard try LocalProgram(pid, ownsGroup: false).wait() != 0 else { return }
    let reason = Self.reason(error)
    throw reason.hasSuffix(Errno.resourceBusy.description)
      ? FileError(.resourceBusy) : FileError(.notPermitted, reason)
  }

  /// Takes away what a process that is gone has left there.
  private func unmountDead() {
    let found = directory.withCPath { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    if found >= 0 { close(found) }
    if found < 0, errno == ENOTCONN { try? unmount(lazily: true) }
  }
}
