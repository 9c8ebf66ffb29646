internal import SystemPackage

/// The names under which plugins give errors.
enum ErrnoNames {
  static let all: [(name: String, errno: Errno)] = [
    ("EPERM", .notPermitted), ("ENOENT", .noSuchFileOrDirectory), ("EINTR", .interrupted),
    ("EIO", .ioError), ("ENXIO", .noSuchAddressOrDevice), ("E2BIG", .argListTooLong),
    ("EBADF", .badFileDescriptor), ("EAGAIN", .resourceTemporarilyUnavailable),
    ("ENOMEM", .noMemory), ("EACCES", .permissionDenied), ("EBUSY", .resourceBusy),
    ("EEXIST", .fileExists), ("EXDEV", .improperLink), ("ENODEV", .operationNotSupportedByDevice),
    ("ENOTDIR", .notDirectory), ("EISDIR", .isDirectory), ("EINVAL", .invalidArgument),
    ("EMFILE", .tooManyOpenFiles), ("ETXTBSY", .textFileBusy), ("EFBIG", .fileTooLarge),
    ("ENOSPC", .noSpace), ("EROFS", .readOnlyFileSystem), ("EMLINK", .tooManyLinks),
    ("EPIPE", .brokenPipe), ("ERANGE", .outOfRange), ("ENAMETOOLONG", .fileNameTooLong),
    ("ENOTEMPTY", .directoryNotEmpty), ("ELOOP", .tooManySymbolicLinkLevels),
    ("ENODATA", .noData), ("ENOTSUP", .notSupported), ("EOPNOTSUPP", .notSupportedOnSocket),
    ("ESTALE", .staleNFSFileHandle), ("EDQUOT", .diskQuotaExceeded), ("ECANCELED", .canceled),
  ]

  static func errno(_ name: String) -> Errno? { all.first { $0.name == name }?.errno }

  static func name(_ errno: Errno) -> String {
    all.first { $0.errno == errno }?.name ?? "E\(errno.rawValue)"
  }
}
