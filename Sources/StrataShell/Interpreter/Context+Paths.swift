public import StrataEngine

extension Context {
  /// Makes sure that a path means something: that it is in one of the trees.
  /// - Throws: ENOENT with the first path that is in none.
  public func checkPaths(_ paths: [[UInt8]], in trees: Namespace...) throws {
    for path in paths {
      guard try !trees.contains(where: { try isThere(path, in: $0) }) else { continue }
      throw PathFailure(path, FileError(.noSuchFileOrDirectory))
    }
  }

  private func isThere(_ path: [UInt8], in tree: Namespace) throws -> Bool {
    do throws(FileError) {
      _ = try tree.node(at: path)
      return true
    } catch {
      // The host may have another object there by now; then the path is known.
      guard [.noSuchFileOrDirectory, .notDirectory].contains(error.errno) else { return true }
      return false
    }
  }
}
