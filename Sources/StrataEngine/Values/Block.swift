/// The unit of copy-on-write inside files.
public enum Block {
  /// Bytes; the size of a memory page, so that one written block is one page.
  public static let size = 4096
}
