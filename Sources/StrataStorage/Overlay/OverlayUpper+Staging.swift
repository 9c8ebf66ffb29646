internal import StrataEngine

/// The directory inside an upper one in which everything is made before it takes its place. It is
/// marked, so that what a process that died has left of one is not taken for the user's.
extension OverlayUpper {
  private static let stagingPrefix = ".strata-"
  private static let mark = "strata.staging"

  /// - Parameter isTaken: whether a name, with a slash before it, is to be in the directory.
  func makeStaging(_ isTaken: ([UInt8]) -> Bool) throws(FileError) -> [UInt8] {
    var number = 1
    while true {
      let name = Array("/\(Self.stagingPrefix)\(number)".utf8)
      number += 1
      guard !isTaken(name), try tree.status(path + name) == nil else { continue }
      try tree.makeDirectory(path + name, mode: 0o700)
      let mark = [Name("trusted.overlay.\(Self.mark)"): [UInt8(ascii: "y")]]
      try tree.setAttributes(path + name, HostAttributes(extendedAttributes: mark))
      return path + name
    }
  }

  /// Removes those that are left.
  func clearStaging() throws(FileError) {
    for entry in try tree.list(path) where entry.kind == .directory {
      guard entry.name.bytes.starts(with: Self.stagingPrefix.utf8) else { continue }
      let place = path + [UInt8(ascii: "/")] + entry.name.bytes
      guard Self.own(Self.mark, in: try tree.extendedAttributes(of: place)) != nil else { continue }
      try tree.clear(place)
    }
  }
}

extension HostTree {
  /// Removes what is at a path, if anything is, with all that is in it.
  func clear(_ path: [UInt8]) throws(FileError) {
    guard let status = try status(path) else { return }
    if status.kind == .directory {
      for entry in try list(path) { try clear(path + [UInt8(ascii: "/")] + entry.name.bytes) }
    }
    try remove(path)
  }
}
