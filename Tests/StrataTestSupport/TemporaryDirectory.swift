import Glibc
public import SystemPackage

/// A new directory that is removed with all that is in it when it is let go.
public final class TemporaryDirectory: Sendable {
  /// Absolute, without a slash at the end.
  public let path: String

  /// Where they are made unless something else is asked for.
  public static var usualPlace: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }

  /// - Throws: the error of `mkdtemp`.
  public init(
    _ prefix: String = "strata-test", in parent: String = usualPlace
  ) throws(Errno) {
    var template = Array("\(parent)/\(prefix).XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { buffer -> String? in
      guard let base = buffer.baseAddress, mkdtemp(base) != nil else { return nil }
      return String(cString: base)
    }
    guard let made else { throw Errno(rawValue: Glibc.errno) }
    path = made
  }

  deinit { _ = try? ChildProcess(["rm", "-rf", "--one-file-system", "--", path]) }

  public func appending(_ name: String) -> String { "\(path)/\(name)" }
}
