internal import StrataEngine

/// Copies what is in one open file to another, holes as holes.
struct FileCopy {
  let context: Context

  func copy(_ source: OpenFile, to target: OpenFile) throws {
    let size = try source.attributes().size
    var position: Int64 = 0
    while let range = try source.data(after: position), range.lowerBound < size {
      position = max(position, range.lowerBound)
      let end = min(range.upperBound, size)
      while position < end {
        try context.checkCancelled()
        let count = Int(min(Int64(FileSource.chunk), end - position))
        let bytes = try source.read(count, at: position)
        if bytes.isEmpty { return }
        _ = try target.write(bytes, at: position)
        position += Int64(bytes.count)
      }
    }
    if try target.attributes().size < size { try target.truncate(to: size) }
  }
}
