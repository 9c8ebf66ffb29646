internal import StrataEngine
internal import Synchronization

extension Server {
  /// From which version of the protocol on the kernel, after a write past its cache, lets go of what a
  /// reader has brought there meanwhile; older kernels may have that too, but do not say so.
  private static let directMinor: UInt32 = 45

  /// FUSE_INIT: what both sides can.
  func initialize(_ request: Request, _ reply: inout Reply) throws(FileError) {
    let major = try request.word(0)
    let minor = try request.word(4)
    guard major >= 7 else { throw FileError(.protocolError) }
    if major > 7 {
      // The kernel asks again by the version that we say.
      reply.put(UInt32(7))
      reply.put(UInt32(38))
      return reply.put(zeros: 56)
    }
    let readAhead = try request.word(8)
    var offered = InitFlags(rawValue: UInt64(try request.word(12)))
    if offered.contains(.isExtended), request.body.count >= 20 {
      offered.formUnion(InitFlags(rawValue: UInt64(try request.word(16)) << 32))
    }
    var wanted: InitFlags = [
      .asyncRead, .atomicTruncate, .bigWrites, .readDirectoryPlus, .asyncDirect,
      .parallelDirectories, .maxPages, .cacheSymlinks, .handlesKillPrivileges,
      .extendedSetXattr,
      .isExtended, .createSupplementaryGroup, .expireOnly, .doNotMask, .posixACL,
    ]
    if options.usesPassthrough {
      wanted.insert(.passthrough)
      if minor >= Self.directMinor { wanted.insert(.directMayMap) }
    }
    let flags = offered.intersection(wanted)
    agreed.store(flags.rawValue, ordering: .relaxed)
    reply.put(UInt32(7))
    reply.put(min(minor, 41))
    reply.put(readAhead)
    reply.put(UInt32(truncatingIfNeeded: flags.rawValue))
    reply.put(UInt16(64))
    reply.put(UInt16(48))
    reply.put(UInt32(Worker.largestTransfer))
    // Times are exact to this many nanoseconds.
    reply.put(UInt32(1))
    reply.put(UInt16(Worker.largestTransfer / Block.size))
    reply.put(UInt16(0))
    reply.put(UInt32(truncatingIfNeeded: flags.rawValue >> 32))
    reply.put(UInt32(flags.contains(.passthrough) ? 1 : 0))
    reply.put(zeros: 24)
  }

  func hasAgreed(_ flag: InitFlags) -> Bool {
    InitFlags(rawValue: agreed.load(ordering: .relaxed)).contains(flag)
  }
}
