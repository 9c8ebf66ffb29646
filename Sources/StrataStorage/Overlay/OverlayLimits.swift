internal import Glibc
internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// What the file system of an upper directory can hold, tried out.
final class OverlayLimits: HostLimits {
  private let directory: Descriptor
  private let longest: Int64
  private let mostLinks: Int

  private let unwrittenFiles: UnwrittenFiles

  /// - Returns: nil where it has no files without names to try with.
  init?(_ directory: Descriptor, _ unwritten: UnwrittenFiles) {
    self.directory = directory
    unwrittenFiles = unwritten
    guard let file = try? Self.file(in: directory) else { return nil }
    longest = Self.longest(file)
    let most = fpathconf(directory.rawValue, Int32(_PC_LINK_MAX))
    mostLinks = most > 0 ? most : .max
  }

  private static func file(in directory: Descriptor) throws(Errno) -> Descriptor {
    // O_TMPFILE, which the C library tells only to those who ask for GNU's names.
    try directory.open(
      entry: [UInt8(ascii: ".")], [.readWrite, .directory, OpenFlags(rawValue: 1 << 22)])
  }

  /// The longest file, by halves. It holds nothing.
  private static func longest(_ file: Descriptor) -> Int64 {
    func takes(_ size: Int64) -> Bool { (try? file.truncate(to: size)) != nil }
    guard !takes(.max) else { return .max }
    var (least, most) = (Int64(0), Int64.max)
    while most - least > 1 {
      let middle = least + (most - least) / 2
      if takes(middle) { least = middle } else { most = middle }
    }
    return least
  }

  func check(size: Int64) throws(FileError) {
    if size > longest { throw FileError(.fileTooLarge) }
  }

  var unwritten: Int64 { unwrittenFiles.bytes }

  func check(content bytes: Int64, of node: NodeID) throws(FileError) {
    try unwrittenFiles.add(bytes, of: node)
  }

  func check(links: UInt32) throws(FileError) {
    if Int(links) > mostLinks { throw FileError(.tooManyLinks) }
  }

  /// A whiteout is none that programs can make, as on overlayfs.
  func check(made new: NewNode) throws(FileError) {
    if new == .special(.characterDevice, device: 0) { throw FileError(.notPermitted) }
  }

  func check(extendedAttributes: [Name: [UInt8]]) throws(FileError) {
    guard let file = try? Self.file(in: directory) else { return }
    let attributes = OverlayUpper.stored(extendedAttributes)
    for (name, value) in attributes.sorted(by: { $0.key < $1.key }) {
      if name.bytes.count > OverlayUpper.longestName { throw FileError(.outOfRange) }
      do throws(Errno) {
        try file.setExtendedAttribute(name.bytes, value)
      } catch {
        // What a file may not have, another object may.
        guard [.noSpace, .argListTooLong, .diskQuotaExceeded].contains(error) else { continue }
        throw FileError(error)
      }
    }
  }
}
