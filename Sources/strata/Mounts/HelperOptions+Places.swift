internal import Glibc
internal import StrataEngine
internal import StrataShell

/// What overlayfs wants of the directories that a mount with an upper one is made of.
extension HelperOptions {
  /// - Throws: where what is written would change what it is written over, or where the work directory
  ///   could not be one for overlayfs. An upper directory inside a lower one, which overlayfs does not
  ///   take, is a directory there like others.
  func checkPlaces() throws(Complaint) {
    guard let upper else { return }
    if workspace != nil { throw Complaint("workspace= and upperdir= exclude each other") }
    let top = try Place("upperdir", upper)
    for base in bases {
      let lower = try Place("lowerdir", base)
      if lower.isBelow(top) { throw Complaint("\(lower) is in \(top)") }
    }
    guard let work else { return }
    let place = try Place("workdir", work)
    guard place.device == top.device else {
      throw Complaint("\(place) is on another file system than \(top)")
    }
    if place.isBelow(top) || top.isBelow(place) { throw Complaint("\(place) and \(top) overlap") }
  }

  private struct Place: CustomStringConvertible {
    private let option: String
    private let path: [UInt8]
    /// Without symbolic links.
    private let real: [UInt8]
    let device: UInt64

    init(_ option: String, _ path: [UInt8]) throws(Complaint) {
      (self.option, self.path) = (option, path)
      var status = stat()
      guard path.withCPath({ stat($0, &status) }) == 0,
        let found = path.withCPath({ realpath($0, nil) })
      else { throw Complaint("\(option) \(ShownName(path)): \(FileError.last.text)") }
      defer { free(found) }
      real = Array(UnsafeRawBufferPointer(start: found, count: strlen(found)))
      device = UInt64(status.st_dev)
      guard status.st_mode & S_IFMT == S_IFDIR else {
        throw Complaint("\(option) \(ShownName(path)): \(FileError.notDirectory.text)")
      }
    }

    func isBelow(_ other: Place) -> Bool { real.isBelow([other.real]) }

    var description: String { "\(option) \(ShownName(path))" }
  }
}
