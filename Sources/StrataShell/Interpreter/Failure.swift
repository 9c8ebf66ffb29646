public import StrataEngine
internal import SystemPackage

/// A file operation that failed, with the path it was for.
public struct PathFailure: Error, Equatable, Sendable {
  public var path: [UInt8]
  public var error: FileError

  public init(_ path: [UInt8], _ error: FileError) {
    self.path = path
    self.error = error
  }
}

/// Something that a command cannot do, in words.
public struct CommandFailure: Error, Equatable, Sendable {
  public var message: String
  public var status: Int32

  public init(_ message: String, status: Int32 = ExitStatus.failure) {
    self.message = message
    self.status = status
  }
}

/// The person asked to stop (Ctrl-C).
public struct Interrupted: Error, Equatable, Sendable {
  public init() {}
}

public enum ExitStatus {
  public static let success: Int32 = 0
  public static let failure: Int32 = 1
  public static let usage: Int32 = 64
  public static let notExecutable: Int32 = 126
  public static let unknownCommand: Int32 = 127
  public static let interrupted: Int32 = 130
  /// The reader of a pipe went away: 128 + SIGPIPE.
  public static let brokenPipe: Int32 = 141
}

extension FileError {
  /// What the C library says of the errno, and the reason behind it: `Permission denied (guard.lua:4:
  /// hands off)`; or the reason alone, where that is all.
  public var text: String {
    let what = errno.description
    guard let reason else { return what }
    return isReasonAll ? reason : "\(what) (\(reason))"
  }
}
