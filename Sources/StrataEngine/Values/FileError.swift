public import SystemPackage

/// Why an operation did not happen: the POSIX error, and where that does not say it all, the reason.
public struct FileError: Error, Equatable, Sendable {
  public var errno: Errno
  /// What a person needs beyond the error's text: `guard.lua:12: too large`, the two objects of an
  /// ESTALE. Nil where the errno is the whole story.
  public var reason: String?
  /// The reason is all that a person needs; the errno is for programs.
  public var isReasonAll = false

  public init(_ errno: Errno, _ reason: String? = nil) {
    self.errno = errno
    self.reason = reason
  }

  /// An error that no system call has made, and whose errno would tell a person something else:
  /// `nothing to undo` is no file that is missing.
  public init(_ errno: Errno, saying reason: String) {
    self.init(errno, reason)
    isReasonAll = true
  }

  /// The same error, saying of what: `guard.lua:4: hands off`.
  public func prefixed(_ place: String) -> FileError {
    var error = self
    error.reason = reason.map { "\(place): \($0)" } ?? place
    return error
  }

  /// Whether there would be no error with more room on the disk, or with more of it for the user.
  public var isLackOfRoom: Bool { errno == .noSpace || errno == .diskQuotaExceeded }
}

extension FileError {
  public static let notFound = FileError(.noSuchFileOrDirectory)
  public static let exists = FileError(.fileExists)
  public static let notDirectory = FileError(.notDirectory)
  public static let isDirectory = FileError(.isDirectory)
  public static let notEmpty = FileError(.directoryNotEmpty)
  public static let invalid = FileError(.invalidArgument)
  public static let tooLong = FileError(.fileNameTooLong)
  public static let denied = FileError(.permissionDenied)
  public static let notPermitted = FileError(.notPermitted)
}
