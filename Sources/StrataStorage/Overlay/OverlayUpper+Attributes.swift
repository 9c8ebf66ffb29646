internal import StrataEngine

/// The format's own extended attributes, and those of programs that have such names. The latter have
/// "overlay." once more in a directory of the format, as the kernel does it for overlays on overlays
/// (Documentation/filesystems/overlayfs.rst, "Nesting overlayfs mounts").
extension OverlayUpper {
  private static let prefix = Array("trusted.overlay.".utf8)
  /// Of layers that were written with `userxattr`. Elsewhere such attributes are the user's, so it is only
  /// the names that mean something.
  private static let userPrefix = Array("user.overlay.".utf8)
  private static let userNames = [
    "opaque", "redirect", "metacopy", "origin", "impure", "nlink", "upper", "uuid", "protattr",
    "whiteout",
  ].map { Array($0.utf8) }
  private static let escape = Array("overlay.".utf8)
  /// XATTR_NAME_MAX
  static let longestName = 255

  /// One of the format, under either name.
  static func own(_ attribute: String, in all: [Name: [UInt8]]) -> [UInt8]? {
    all[Name("trusted.overlay.\(attribute)")] ?? all[Name("user.overlay.\(attribute)")]
  }

  static func isOwn(_ name: Name) -> Bool { prefix(of: name) != nil }

  private static func prefix(of name: Name) -> [UInt8]? {
    let bytes = name.bytes
    if bytes.starts(with: prefix) { return prefix }
    guard bytes.starts(with: userPrefix) else { return nil }
    let rest = Array(bytes.dropFirst(userPrefix.count))
    return userNames.contains(rest) || rest.starts(with: escape) ? userPrefix : nil
  }

  /// What programs see of what a directory of the format has.
  static func shown(_ stored: [Name: [UInt8]]) -> [Name: [UInt8]] {
    var shown: [Name: [UInt8]] = [:]
    for (name, value) in stored {
      guard let prefix = prefix(of: name) else {
        shown[name] = value
        continue
      }
      let rest = name.bytes.dropFirst(prefix.count)
      if rest.starts(with: escape) { shown[Name(prefix + rest.dropFirst(escape.count))] = value }
    }
    return shown
  }

  /// What a directory of the format has of what programs see.
  static func stored(_ shown: [Name: [UInt8]]) -> [Name: [UInt8]] {
    var stored: [Name: [UInt8]] = [:]
    for (name, value) in shown {
      let prefix = prefix(of: name)
      stored[prefix.map { Name($0 + escape + name.bytes.dropFirst($0.count)) } ?? name] = value
    }
    return stored
  }
}
