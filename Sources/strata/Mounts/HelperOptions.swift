internal import StrataEngine
internal import StrataFUSE
internal import StrataShell

/// What mount(8) says to a helper: `SOURCE DIR [-fnrsvw] [-N NS] [-t TYPE] [-o OPTIONS]`.
struct HelperOptions {
  /// Host directories, topmost first.
  var bases: [[UInt8]] = []
  /// Whether the source is what fstab has where there is none.
  var namesNoBase: Bool { bases == [Array("none".utf8)] }
  /// Whether they are overlayfs's, perhaps former upper directories.
  var areLower = false
  var directory: [UInt8] = []
  var mount = MountOptions()
  /// A directory with a workspace, or for one; nil keeps everything in memory.
  var workspace: [UInt8]?
  var fork = "main"
  var policies: [[UInt8]] = []
  /// overlayfs's upper directory: what a mount begins with, and what it leaves.
  var upper: [UInt8]?
  /// Its work directory, which is not used.
  private(set) var work: [UInt8]?
  /// What is for the mount itself, as it was written.
  private(set) var passed: [[UInt8]] = []
  /// Only says whether it could be done.
  var isDry = false
  /// Whether tables of user space are to know of it.
  var isNoted = true

  init(_ words: [[UInt8]]) throws(Complaint) {
    mount.hasDevices = true
    mount.hasSetUser = true
    var operands: [[UInt8]] = []
    var rest = words[...]
    while let word = rest.popFirst() {
      switch String(decoding: word, as: UTF8.self) {
      case "-o":
        guard let list = rest.popFirst() else { throw Complaint("-o needs options") }
        for option in Self.split(list, at: UInt8(ascii: ",")) { try take(option) }
      case "-N", "-t": _ = rest.popFirst()
      case let flag where flag.hasPrefix("-") && flag.count > 1:
        guard flag.dropFirst().allSatisfy({ "fnrsvw".contains($0) }) else {
          throw Complaint("unknown option \(ShownName(word))", status: ExitStatus.usage)
        }
        if flag.contains("r") { try take(Array("ro".utf8)) }
        isDry = isDry || flag.contains("f")
        isNoted = isNoted && !flag.contains("n")
      default: operands.append(word)
      }
    }
    guard operands.count == 2 else {
      throw Complaint(
        "a source and a directory are needed, see 'strata \(MountHelper.name) --help'",
        status: ExitStatus.usage)
    }
    if bases.isEmpty { bases = Self.split(operands[0], at: UInt8(ascii: ":")).map(Self.unescaped) }
    if mount.source == MountOptions().source { mount.source = operands[0] }
    directory = operands[1]
    // As overlayfs has it: there is nothing that could keep what is written.
    if areLower, upper == nil, workspace == nil { mount.isReadOnly = true }
  }

  private mutating func take(_ option: [UInt8]) throws(Complaint) {
    let key = String(decoding: option.prefix { $0 != UInt8(ascii: "=") }, as: UTF8.self)
    let value = option.count > key.utf8.count ? Array(option.dropFirst(key.utf8.count + 1)) : []
    if mount.take(option) { return passed.append(option) }
    switch key {
    case "workspace": workspace = value
    case "fork": fork = String(decoding: value, as: UTF8.self)
    case "policy": policies.append(value)
    case "lowerdir":
      areLower = true
      bases = Self.split(value, at: UInt8(ascii: ":")).filter { !$0.isEmpty }.map(Self.unescaped)
    case "upperdir": upper = Self.unescaped(value)
    case "workdir": work = Self.unescaped(value)
    case let name where Self.ignored.contains(name) || name.hasPrefix("x-"): return
    default: throw Complaint("unknown option \(ShownName(option))")
    }
  }

  /// What mount(8) and overlayfs know and what makes no difference here.
  private static let ignored: Set<String> = [
    "", "defaults", "auto", "noauto", "user", "nouser", "users", "group", "owner", "nofail",
    "_netdev", "atime", "relatime", "norelatime", "strictatime", "nostrictatime",
    "diratime", "nodiratime", "lazytime", "nolazytime", "sync", "async", "dirsync", "iversion",
    "noiversion", "mand", "nomand", "silent", "loud", "allow_other", "default_permissions",
    "subtype", "comment", "redirect_dir", "index", "metacopy", "xino", "nfs_export",
    "volatile", "userxattr", "uuid", "verity", "context", "fscontext", "defcontext",
  ]

  /// Whether a mount that is there is to be changed.
  static func isRemount(_ words: [[UInt8]]) -> Bool {
    zip(words, words.dropFirst()).contains { flag, list in
      flag == Array("-o".utf8)
        && split(list, at: UInt8(ascii: ",")).contains(Array("remount".utf8))
    }
  }

  /// Parts between separators that no backslash stands before.
  static func split(_ list: [UInt8], at separator: UInt8) -> [[UInt8]] {
    var parts: [[UInt8]] = [[]]
    var isEscaped = false
    for byte in list {
      if byte == separator, !isEscaped {
        parts.append([])
      } else {
        parts[parts.count - 1].append(byte)
      }
      isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
    }
    return parts
  }

  private static func unescaped(_ path: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    var isEscaped = false
    for byte in path {
      if byte == UInt8(ascii: "\\"), !isEscaped {
        isEscaped = true
        continue
      }
      bytes.append(byte)
      isEscaped = false
    }
    return bytes
  }
}
