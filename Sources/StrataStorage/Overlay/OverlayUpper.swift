internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// An upper directory of overlayfs: what a fork begins with, and what it leaves.
///
/// The format is that of the kernel's Documentation/filesystems/overlayfs.rst: whiteouts are character
/// devices 0:0, `trusted.overlay.opaque` hides what lies below a directory, and
/// `trusted.overlay.redirect` says which directory below it shows.
struct OverlayUpper: Sendable {
  private let directory: Descriptor
  /// Leads to the descriptor: the path that the user gave may lead into the mount by now.
  let path: [UInt8]
  let tree = HostTree()

  static let opaque = "opaque"
  static let redirect = "redirect"
  static let metacopy = "metacopy"
  /// What is in the directory may have other numbers than on the host: the kernel lists them right
  /// only then.
  static let impure = "impure"
  /// Ours: the number that programs see, and where the lower directories show a file with several
  /// names, which may have more of them.
  static let number = "strata.number"
  static let origin = "strata.origin"

  init(_ directory: Descriptor) {
    self.directory = directory
    path = Array("/proc/self/fd/\(directory.rawValue)/.".utf8)
  }

  /// Makes the changes that the directory holds in a fork, which shows its lower directories.
  /// - Returns: whether it has directories that show others below, which writing does not make.
  func read(into fork: Fork, _ numbers: OverlayNumbers) throws(FileError) -> Bool {
    var reading = OverlayReading(self, fork, numbers)
    try reading.run()
    return reading.hasRedirects
  }

  /// Makes the directory hold the changes of a fork, which nobody changes meanwhile, and no others.
  /// - Parameter last: what it holds; nil if that is not known.
  func write(
    _ fork: Fork, _ numbers: OverlayNumbers, since last: Namespace?
  ) throws(FileError) {
    let writing = try OverlayWriting(self, fork, numbers)
    defer { writing.end() }
    if let last, try writing.run(since: last, to: fork.value) { return }
    try writing.run()
  }

  /// Waits until all that was done in it is on the disk.
  func sync() throws(FileError) {
    do throws(Errno) { try directory.syncFileSystem() } catch { throw FileError(error) }
  }

  func join(_ names: [UInt8]) -> [UInt8] { names.count <= 1 ? path : path + names }

  static func isWhiteout(_ status: BaseStatus, _ attributes: [Name: [UInt8]]) -> Bool {
    if status.kind == .characterDevice, status.device == 0 { return true }
    return status.kind == .regular && status.size == 0 && own("whiteout", in: attributes) != nil
  }
}
