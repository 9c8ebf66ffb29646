internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataSystem
internal import SystemPackage

/// Where forks are mounted for which nobody names a directory:
/// `$XDG_RUNTIME_DIR/strata/PROCESS/FORK`, else below `/run/strata` for the superuser and below
/// `/tmp/strata-USER` for others.
struct MountPlace {
  /// The directory that is there already.
  private let start: [UInt8]
  /// Those below it that nobody else may change.
  private let own: [[UInt8]]

  init(_ host: MachineHost) {
    let process = ["strata", "\(getpid())"]
    let names: [String]
    if let runtime = host.environment("XDG_RUNTIME_DIR"), runtime.first == 0x2F {
      (start, names) = (runtime, process)
    } else if geteuid() == 0 {
      (start, names) = (Array("/run".utf8), process)
    } else {
      (start, names) = (Array("/tmp".utf8), ["strata-\(geteuid())"] + process)
    }
    own = names.map { Array($0.utf8) }
  }

  private var parent: [UInt8] { own.reduce(start) { Self.path($0, $1) } }

  private static func path(_ directory: [UInt8], _ name: [UInt8]) -> [UInt8] {
    directory + [UInt8(ascii: "/")] + name
  }

  /// Somebody else could have made what is there, or could change it: they would lead the mount to
  /// where they like. What only we may write to stays what it was found to be.
  /// - Throws: EPERM for what others own or may write to, ENOTDIR for a symbolic link; what the host
  ///   says of making the directories.
  func make(for fork: Fork) throws(FileError) -> [UInt8] {
    var path = start
    do throws(Errno) {
      var directory = try Descriptor(path: start, [.path, .directory])
      for name in own {
        path = Self.path(path, name)
        try Self.make(name, in: directory)
        directory = try directory.open(entry: name, [.path, .directory])
        let status = try directory.status()
        guard status.uid == geteuid(), status.mode & 0o022 == 0 else { throw .notPermitted }
      }
      let name = Array(fork.name.utf8)
      path = Self.path(path, name)
      try Self.make(name, in: directory)
    } catch {
      let why =
        switch error {
        case .notPermitted: "belongs to another user, or others may write to it"
        case .notDirectory, .tooManySymbolicLinkLevels: "is not a directory"
        default: error.description
        }
      throw FileError(error, "\(ShownName(path)): \(why)")
    }
    return path
  }

  private static func make(_ name: [UInt8], in directory: Descriptor) throws(Errno) {
    do throws(Errno) { try directory.makeDirectory(name, mode: 0o700) } catch .fileExists {}
  }

  /// Takes a directory away again that was made here.
  func remove(_ directory: [UInt8]) {
    guard directory.starts(with: parent), let path = try? cPath(directory),
      let parent = try? cPath(parent)
    else { return }
    rmdir(path)
    rmdir(parent)
  }
}
