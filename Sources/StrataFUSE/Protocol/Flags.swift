/// What the two sides agree on at the start: flags of FUSE_INIT, both words as one.
struct InitFlags: OptionSet {
  let rawValue: UInt64

  static func bit(_ number: Int) -> InitFlags { InitFlags(rawValue: 1 << UInt64(number)) }

  static let asyncRead = bit(0)
  static let atomicTruncate = bit(3)
  static let bigWrites = bit(5)
  static let doNotMask = bit(6)
  static let readDirectoryPlus = bit(13)
  static let readDirectoryPlusAuto = bit(14)
  static let asyncDirect = bit(15)
  static let parallelDirectories = bit(18)
  static let posixACL = bit(20)
  static let maxPages = bit(22)
  static let cacheSymlinks = bit(23)
  static let handlesKillPrivileges = bit(28)
  static let extendedSetXattr = bit(29)
  static let isExtended = bit(30)
  static let createSupplementaryGroup = bit(34)
  static let expireOnly = bit(35)
  static let directMayMap = bit(36)
  static let passthrough = bit(37)
  static let allowsIDMap = bit(40)
}

/// What an open tells the kernel of the file: FOPEN_*.
struct OpenFlags: OptionSet {
  let rawValue: UInt32
  static let direct = OpenFlags(rawValue: 1)
  static let keepsCache = OpenFlags(rawValue: 2)
  static let cachesDirectory = OpenFlags(rawValue: 8)
  static let noFlush = OpenFlags(rawValue: 32)
  static let parallelDirectWrites = OpenFlags(rawValue: 64)
  static let passthrough = OpenFlags(rawValue: 128)
}

/// Which attributes a SETATTR is about: FATTR_*.
struct SetFlags: OptionSet {
  let rawValue: UInt32
  static let mode = SetFlags(rawValue: 1)
  static let uid = SetFlags(rawValue: 2)
  static let gid = SetFlags(rawValue: 4)
  static let size = SetFlags(rawValue: 8)
  static let accessed = SetFlags(rawValue: 16)
  static let modified = SetFlags(rawValue: 32)
  static let handle = SetFlags(rawValue: 64)
  static let accessedNow = SetFlags(rawValue: 128)
  static let modifiedNow = SetFlags(rawValue: 256)
  static let killPrivileges = SetFlags(rawValue: 2048)
}
