internal import CStrataSystem
internal import Glibc
public import SystemPackage

/// Stream sockets between processes of one machine, with names in directories.
extension Descriptor {
  /// Listens at a new name in this directory, for the process's user alone. The directory's own path
  /// may be of any length.
  /// - Throws: EADDRINUSE for a name that is taken.
  public func listen(at name: [UInt8], backlog: Int32 = 128) throws(Errno) -> Descriptor {
    let path = try socketPath(name)
    let mask = umask(0o177)
    defer { umask(mask) }
    return Descriptor(owning: try opened(path.withCPath { strata_listen($0, backlog) }))
  }

  /// Connects to who listens at a name in this directory.
  /// - Throws: ENOENT for no such name, ECONNREFUSED where nobody listens any more.
  public func connect(to name: [UInt8]) throws(Errno) -> Descriptor {
    let path = try socketPath(name)
    return Descriptor(owning: try opened(path.withCPath { strata_connect($0) }))
  }

  /// Two sockets that are connected to each other.
  public static func pair() throws(Errno) -> (Descriptor, Descriptor) {
    var ends: [Int32] = [-1, -1]
    let result = strata_socket_pair(&ends)
    guard result == 0 else { throw Errno(rawValue: -result) }
    return (Descriptor(owning: ends[0]), Descriptor(owning: ends[1]))
  }

  /// An address has room for about a hundred bytes, so the way leads through the descriptor.
  private func socketPath(_ name: [UInt8]) throws(Errno) -> [UInt8] {
    try checked(Array("/proc/self/fd/\(rawValue)/".utf8) + name)
  }

  /// The next connection to a socket that listens.
  public func accept() throws(Errno) -> Descriptor {
    Descriptor(owning: try opened(strata_accept(rawValue)))
  }

  /// The process at the other end of a connection, as it was when it connected.
  public func peer() throws(Errno) -> Peer {
    var peer = Peer(pid: 0, uid: 0, gid: 0, groups: [])
    _ = try opened(strata_peer(rawValue, &peer.pid, &peer.uid, &peer.gid))
    // NGROUPS_MAX
    var groups = [UInt32](repeating: 0, count: 65536)
    let count = strata_peer_groups(rawValue, &groups, Int32(groups.count))
    peer.groups = Array(groups.prefix(Int(max(0, count))))
    return peer
  }

  /// Sends all the bytes through a socket, and with the first of them descriptors, 8 at the most.
  /// - Throws: EPIPE when nobody receives any more.
  public func send(_ bytes: [UInt8], descriptors: [Int32] = []) throws(Errno) {
    var done = 0
    while done < bytes.count {
      let sent = bytes[done...].withUnsafeBytes { rest in
        strata_send(
          rawValue, rest.baseAddress, rest.count, descriptors,
          done == 0 ? Int32(descriptors.count) : 0)
      }
      guard sent >= 0 else { throw Errno(rawValue: Int32(-sent)) }
      done += sent
    }
  }

  /// The next bytes from a socket, none at the end, and the descriptors that came with them.
  public func receive() throws(Errno) -> (bytes: [UInt8], descriptors: [Descriptor]) {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var numbers = [Int32](repeating: -1, count: Int(strata_most_descriptors))
    var count: Int32 = 0
    let received = buffer.withUnsafeMutableBytes {
      strata_receive(rawValue, $0.baseAddress, $0.count, &numbers, &count)
    }
    let descriptors = numbers.prefix(Int(count)).map { Descriptor(owning: $0) }
    guard received >= 0 else { throw Errno(rawValue: Int32(-received)) }
    return (Array(buffer[..<received]), descriptors)
  }

  /// Ends a connection in both directions: whoever waits for it is told.
  public func shutDown() { _ = shutdown(rawValue, Int32(SHUT_RDWR)) }
}

/// A process at the other end of a socket.
public struct Peer: Sendable {
  public var pid: Int32
  public var uid: UInt32
  public var gid: UInt32
  /// Supplementary groups.
  public var groups: [UInt32]
}

/// Closes all descriptors from a number on: what a process was born with and is to know nothing of.
public func closeDescriptors(from first: Int32) { _ = strata_close_from(first) }
