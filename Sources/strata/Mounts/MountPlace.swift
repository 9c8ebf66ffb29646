internal import Glibc
internal import StrataEngine
internal import StrataShell

/// Where forks are mounted for which nobody names a directory:
/// `$XDG_RUNTIME_DIR/strata/PROCESS/FORK`.
struct MountPlace {
  private let root: [UInt8]

  init(_ host: MachineHost) {
    let runtime = host.environment("XDG_RUNTIME_DIR").flatMap { $0.first == 0x2F ? $0 : nil }
    root = (runtime ?? Array("/tmp/strata-\(getuid())".utf8)) + Array("/strata".utf8)
  }

  private var own: [UInt8] { root + Array("/\(getpid())".utf8) }

  /// - Throws: what the host says of making the directories.
  func make(for fork: Fork) throws(FileError) -> [UInt8] {
    let directory = own + Array("/\(fork.name)".utf8)
    var made: [UInt8] = []
    for name in directory.split(separator: UInt8(ascii: "/")) {
      made += [UInt8(ascii: "/")] + name
      let path = try cPath(made)
      if mkdir(path, 0o700) != 0, errno != EEXIST { throw FileError.last }
    }
    return directory
  }

  /// Takes a directory away again that was made here.
  func remove(_ directory: [UInt8]) {
    guard directory.starts(with: own), let path = try? cPath(directory),
      let parent = try? cPath(own)
    else { return }
    rmdir(path)
    rmdir(parent)
  }
}
