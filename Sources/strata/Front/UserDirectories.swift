internal import Glibc

/// Where a person's files of this program are, by the XDG base directory specification.
struct UserDirectories {
  private let environment: (String) -> [UInt8]?

  init(environment: @escaping (String) -> [UInt8]?) { self.environment = environment }

  /// `$XDG_CONFIG_HOME/strata/rc`; nil without a home directory.
  var rcFile: [UInt8]? { directory("XDG_CONFIG_HOME", ".config").map { $0 + "/rc".utf8 } }

  /// `$XDG_STATE_HOME/strata/history`, with its directory made if it was missing; nil without a
  /// home directory, or when it cannot be made.
  func makeHistoryFile() -> [UInt8]? {
    guard let directory = directory("XDG_STATE_HOME", ".local/state"), make(directory) else {
      return nil
    }
    return directory + "/history".utf8
  }

  /// A relative path in the variable is to be ignored, says the specification.
  private func directory(_ variable: String, _ inHome: String) -> [UInt8]? {
    if let path = environment(variable), path.first == UInt8(ascii: "/") {
      return path + "/strata".utf8
    }
    guard let home = environment("HOME"), home.first == UInt8(ascii: "/") else { return nil }
    return home + "/\(inHome)/strata".utf8
  }

  /// Makes the directory and those on the way, for their owner alone.
  private func make(_ path: [UInt8]) -> Bool {
    var made: [UInt8] = []
    for name in path.split(separator: UInt8(ascii: "/")) {
      made += [UInt8(ascii: "/")] + name
      guard let path = try? cPath(made) else { return false }
      if mkdir(path, 0o700) != 0, errno != EEXIST, access(path, X_OK) != 0 { return false }
    }
    return true
  }
}
