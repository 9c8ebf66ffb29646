internal import StrataEngine

extension HostTree {
  /// Removes a file or a directory with all that is in it. Best effort: what is in the way stays.
  func removeAll(_ path: [UInt8]) {
    let isDirectory = (try? status(path))??.kind == .directory
    if isDirectory, let entries = try? list(path) {
      for entry in entries { removeAll(path + [UInt8(ascii: "/")] + entry.name.bytes) }
    }
    try? remove(path)
  }
}
