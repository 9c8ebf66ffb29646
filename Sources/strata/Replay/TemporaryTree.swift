internal import Glibc
internal import StrataEngine
internal import StrataShell

/// A base that a transcript spells out, as a directory of the host. It is removed when it is let go.
final class TemporaryTree {
  let path: [UInt8]

  /// The time that all its files have: 2000-01-01 UTC, where the virtual clock starts, too.
  static let time: Timestamp = 946_684_800 * 1_000_000_000

  init(_ files: [ReplayFile], host: MachineHost) throws(FileError) {
    let place = host.environment("TMPDIR") ?? Array("/tmp".utf8)
    var template = try cPath(place + "/strata-replay.XXXXXX".utf8)
    guard mkdtemp(&template) != nil else { throw FileError.last }
    path = template.dropLast().map { UInt8(bitPattern: $0) }
    try host.setAttributes(path, AttributeChanges(mode: 0o755))
    for file in files { try add(file, host) }
    try settle(path, files, host)
  }

  deinit { TemporaryTree.remove(path, MachineHost()) }

  private func place(of name: [UInt8]) -> [UInt8] { path + [UInt8(ascii: "/")] + name }

  private func add(_ file: ReplayFile, _ host: MachineHost) throws(FileError) {
    let place = place(of: file.path)
    try makeParents(of: file.path, host)
    switch file.content {
    case .directory:
      if (try? host.attributes(place, follow: false))?.kind != .directory {
        try host.makeDirectory(place, mode: 0o755)
      }
    case .bytes(let bytes):
      try MachineFile(writing: place).write(bytes, at: 0)
    case .size(let size):
      try MachineFile(writing: place).write(ReplayFile.fill(size), at: 0)
    case .symlink(let target):
      try host.makeSymlink(place, target: target)
    case .hardLink(let other):
      guard link(try cPath(self.place(of: other)), try cPath(place)) == 0 else {
        throw FileError.last
      }
    }
  }

  private func makeParents(of name: [UInt8], _ host: MachineHost) throws(FileError) {
    var made: [UInt8] = []
    for part in name.split(separator: UInt8(ascii: "/")).dropLast() {
      made += (made.isEmpty ? [] : [UInt8(ascii: "/")]) + part
      if (try? host.attributes(place(of: made), follow: false)) == nil {
        try host.makeDirectory(place(of: made), mode: 0o755)
      }
    }
  }

  /// Sets modes and times, from the leaves up, for making an entry changes its directory.
  private func settle(
    _ directory: [UInt8], _ files: [ReplayFile], _ host: MachineHost
  ) throws(FileError) {
    let modes = Dictionary(
      files.compactMap { file in file.mode.map { (place(of: file.path), $0) } },
      uniquingKeysWith: { $1 })
    func visit(_ path: [UInt8]) throws(FileError) {
      let kind = try host.attributes(path, follow: false).kind
      if kind == .directory {
        for name in try host.list(path) { try visit(path + [UInt8(ascii: "/")] + name) }
      }
      let mode: UInt32? =
        switch kind {
        case .symlink: nil
        case .directory: modes[path] ?? 0o755
        default: modes[path] ?? 0o644
        }
      try host.setAttributes(
        path,
        AttributeChanges(mode: mode, accessed: TemporaryTree.time, modified: TemporaryTree.time))
    }
    try visit(directory)
  }

  /// What cannot be removed stays; there is nobody to tell.
  private static func remove(_ path: [UInt8], _ host: MachineHost) {
    guard let cPath = try? cPath(path) else { return }
    if unlink(cPath) == 0 { return }
    chmod(cPath, 0o700)
    for name in (try? host.list(path)) ?? [] { remove(path + [UInt8(ascii: "/")] + name, host) }
    rmdir(cPath)
  }
}
