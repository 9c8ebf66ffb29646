extension [UInt8] {
  /// `withUnsafeBytes`, which in the standard library forgets the type of what is thrown.
  public func withBytes<R>(
    _ body: (UnsafeRawBufferPointer) throws(FileError) -> R
  ) throws(FileError) -> R {
    try withUnsafeBytes { bytes -> Result<R, FileError> in
      do throws(FileError) { return .success(try body(bytes)) } catch { return .failure(error) }
    }.get()
  }
}
