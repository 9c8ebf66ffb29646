internal import StrataEngine

/// Modes as people read them.
enum ModeText {
  /// `drwxr-sr-t`, as `ls -l` shows it.
  static func string(_ kind: FileKind, _ mode: UInt32) -> String {
    var text: [Character] = [letter(kind)]
    for shift in [6, 3, 0] as [UInt32] {
      let bits = (mode >> shift) & 7
      text.append(bits & 4 != 0 ? "r" : "-")
      text.append(bits & 2 != 0 ? "w" : "-")
      text.append(bits & 1 != 0 ? "x" : "-")
    }
    if mode & 0o4000 != 0 { text[3] = text[3] == "x" ? "s" : "S" }
    if mode & 0o2000 != 0 { text[6] = text[6] == "x" ? "s" : "S" }
    if mode & 0o1000 != 0 { text[9] = text[9] == "x" ? "t" : "T" }
    return String(text)
  }

  static func letter(_ kind: FileKind) -> Character {
    switch kind {
    case .regular: "-"
    case .directory: "d"
    case .symlink: "l"
    case .characterDevice: "c"
    case .blockDevice: "b"
    case .fifo: "p"
    case .socket: "s"
    }
  }

  /// `regular file`, as stat(1) says it.
  static func name(_ kind: FileKind) -> String {
    switch kind {
    case .regular: "regular file"
    case .directory: "directory"
    case .symlink: "symbolic link"
    case .characterDevice: "character special file"
    case .blockDevice: "block special file"
    case .fifo: "fifo"
    case .socket: "socket"
    }
  }

  /// Four digits in base 8.
  static func octal(_ mode: UInt32) -> String {
    padded(String(mode, radix: 8), 4, .right, with: "0")
  }
}

extension FileKind {
  /// For JSON: the names that events use too.
  var word: String {
    switch self {
    case .regular: "file"
    case .directory: "directory"
    case .symlink: "symlink"
    case .characterDevice: "character_device"
    case .blockDevice: "block_device"
    case .fifo: "fifo"
    case .socket: "socket"
    }
  }
}
