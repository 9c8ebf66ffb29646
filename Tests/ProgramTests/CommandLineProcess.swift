import Glibc

/// The built program, as a person runs it.
enum StrataProgram {
  /// The release binary that `scripts/test` names, else the one built next to the tests.
  static let path: String = {
    if let path = getenv("STRATA_BINARY") { return String(cString: path) }
    return products + "/strata"
  }()

  /// Where what is built for the tests is.
  static let products: String = {
    let own = CommandLine.arguments[0]
    let directory = own.split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return directory.joined(separator: "/")
  }()

  /// The repository's root.
  static let root: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false)
    return parts.dropLast(3).joined(separator: "/")
  }()
}

/// A directory that is removed with all it holds when it is let go.
final class TemporaryDirectory {
  let path: String

  init() throws {
    var template = Array("/tmp/strata-test.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw TestFailure("mkdtemp: \(errno)") }
    path = template.withUnsafeBufferPointer { buffer in
      String(decoding: buffer.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
  }

  deinit {
    _ = try? Finished.run("/bin/rm", ["-rf", path])
  }

  func write(_ name: String, _ text: String, mode: mode_t = 0o644) throws {
    guard let file = fopen("\(path)/\(name)", "w") else { throw TestFailure("fopen \(name)") }
    fputs(text, file)
    fclose(file)
    chmod("\(path)/\(name)", mode)
  }

  func read(_ name: String) throws -> String { try contents(of: "\(path)/\(name)") }
}

struct TestFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

func contents(of file: String) throws -> String {
  let descriptor = open(file, O_RDONLY)
  guard descriptor >= 0 else { throw TestFailure("\(file): errno \(errno)") }
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 65536)
  while true {
    let count = Glibc.read(descriptor, &buffer, buffer.count)
    if count <= 0 { break }
    bytes += buffer[..<count]
  }
  return String(decoding: bytes, as: UTF8.self)
}

/// What a program left behind.
struct Finished {
  var status: Int32
  var output: String
  var errors: String

  /// Runs strata in a directory.
  static func strata(
    _ arguments: [String], input: String = "", in directory: String = "/",
    environment: [String] = []
  ) throws -> Finished {
    try run(
      StrataProgram.path, arguments, input: input, in: directory, environment: environment)
  }

  static func run(
    _ program: String, _ arguments: [String], input: String = "", in directory: String = "/",
    environment: [String] = []
  ) throws -> Finished {
    let files = try (0..<3).map { _ in try ScratchFile() }
    try files[0].write(input)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (number, file) in files.enumerated() {
      posix_spawn_file_actions_adddup2(&actions, file.descriptor, Int32(number))
    }
    let pid = try spawn(program, arguments, in: directory, environment, &actions, nil)
    let status = try wait(pid)
    return Finished(status: status, output: try files[1].text(), errors: try files[2].text())
  }

  /// Waits for the end; 128 + N for a signal.
  static func wait(_ pid: pid_t) throws -> Int32 {
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0 {
      guard errno == EINTR else { throw TestFailure("waitpid: \(errno)") }
    }
    return status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
  }

  static func spawn(
    _ program: String, _ arguments: [String], in directory: String, _ environment: [String],
    _ actions: inout posix_spawn_file_actions_t, _ given: UnsafePointer<posix_spawnattr_t>?
  ) throws -> pid_t {
    // The threads that tests run on have signals blocked, and so would the program.
    var none = sigset_t()
    sigemptyset(&none)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    if let given { attributes = given.pointee }
    var flags: Int16 = 0
    posix_spawnattr_getflags(&attributes, &flags)
    posix_spawnattr_setflags(&attributes, flags | Int16(POSIX_SPAWN_SETSIGMASK))
    posix_spawnattr_setsigmask(&attributes, &none)
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
    let variables = ["PATH=\(path)", "HOME=/nonexistent", "LC_ALL=C.UTF-8"] + environment
    let words = ["env", "-C", directory, program] + arguments
    var argv = words.map { strdup($0) } + [nil]
    var envp = variables.map { strdup($0) } + [nil]
    defer { for pointer in argv + envp { free(pointer) } }
    var pid: pid_t = 0
    let error = posix_spawn(&pid, "/usr/bin/env", &actions, &attributes, &argv, &envp)
    guard error == 0 else { throw TestFailure("\(program): error \(error)") }
    return pid
  }
}

/// An unnamed file, for what a program reads or writes.
private final class ScratchFile {
  let descriptor: Int32

  init() throws {
    var name = Array("/tmp/strata-test.XXXXXX".utf8CString)
    descriptor = mkstemp(&name)
    guard descriptor >= 0 else { throw TestFailure("mkstemp: \(errno)") }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    unlink(name)
  }

  deinit { close(descriptor) }

  func write(_ text: String) throws {
    let bytes = Array(text.utf8)
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw TestFailure("write: \(errno)")
    }
    lseek(descriptor, 0, SEEK_SET)
  }

  func text() throws -> String {
    let size = Int(lseek(descriptor, 0, SEEK_END))
    var bytes = [UInt8](repeating: 0, count: size)
    guard pread(descriptor, &bytes, size, 0) == size else { throw TestFailure("pread: \(errno)") }
    return String(decoding: bytes, as: UTF8.self)
  }
}
