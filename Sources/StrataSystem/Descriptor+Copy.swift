internal import CStrataSystem
public import SystemPackage

/// Content that the kernel moves by itself.
extension Descriptor {
  /// Makes a range of this file share the blocks that another has at the same place.
  /// - Parameter source: a descriptor that can be read.
  /// - Returns: false where the file systems cannot do that, or not with this range.
  public func share(_ range: Range<Int64>, of source: Int32) -> Bool {
    strata_clone_range(
      rawValue, source, range.lowerBound, range.upperBound - range.lowerBound) == 0
  }

  /// Takes a range of another file to the same place in this one by the kernel's copy.
  /// - Returns: how many bytes from the range's start on it has taken; the rest is the caller's to
  ///   copy. Fewer than there are: the file systems have no such call between them, or the source ends.
  /// - Throws: ENOSPC and EIO, which copying otherwise would not mend.
  public func take(_ range: Range<Int64>, from source: Int32) throws(Errno) -> Int64 {
    let count = range.upperBound - range.lowerBound
    var done: Int64 = 0
    while done < count {
      let copied = strata_copy_range(rawValue, source, range.lowerBound + done, count - done)
      if copied > 0 {
        done += Int64(copied)
        continue
      }
      switch Errno(rawValue: Int32(-copied)) {
      case .noSpace: throw .noSpace
      case .ioError: throw .ioError
      default: return done
      }
    }
    return done
  }

  /// Gives a range back to the disk; it reads as zeros then.
  /// - Throws: EOPNOTSUPP where the file system has no holes.
  public func punchHole(_ range: Range<Int64>) throws(Errno) {
    _ = try opened(
      strata_punch_hole(rawValue, range.lowerBound, range.upperBound - range.lowerBound))
  }

  /// Takes room on the disk for a range, which may lie behind the end; the size stays.
  /// - Throws: ENOSPC, EDQUOT and EFBIG, as a write there would; EOPNOTSUPP where the file system
  ///   cannot do that.
  public func takeRoom(for range: Range<Int64>) throws(Errno) {
    _ = try opened(
      strata_take_room(rawValue, range.lowerBound, range.upperBound - range.lowerBound))
  }
}
