internal import Glibc
public import StrataEngine
internal import Synchronization

/// Where in a base forks are mounted that this process serves. Whoever serves a mount must not look
/// into it: it would wait for itself.
final class CoveredPlaces: Sendable {
  /// Paths from the base's top, as ``BasePath/bytes`` has them; one for each mount.
  private let places = Mutex<[[UInt8]]>([])
  private let count = Atomic(0)

  /// Whether something is mounted at the path, or at a directory on the way to it.
  func contain(_ path: BasePath) -> Bool {
    guard count.load(ordering: .acquiring) > 0 else { return false }
    let bytes = path.bytes
    return places.withLock { bytes.isBelow($0) }
  }

  /// Whether something is mounted at the path, or below it.
  func areBelow(_ path: BasePath) -> Bool {
    guard count.load(ordering: .acquiring) > 0 else { return false }
    let top = [path.bytes]
    return places.withLock { places in places.contains { $0.isBelow(top) } }
  }

  func add(_ place: [UInt8]) { change { $0.append(place) } }

  func remove(_ place: [UInt8]) {
    change { places in
      if let index = places.firstIndex(of: place) { places.remove(at: index) }
    }
  }

  private func change(_ body: (inout [[UInt8]]) -> Void) {
    places.withLock { places in
      body(&places)
      count.store(places.count, ordering: .releasing)
    }
  }
}

extension HostDirectory {
  /// Has what lies under a mount point below this directory reached past the mount, from now on.
  /// - Parameter mountPoint: before anything is mounted there.
  /// - Returns: what takes it back; nil if the mount point is not below the directory.
  /// - Throws: EBUSY where there is no way past a mount.
  public func cover(_ mountPoint: [UInt8]) throws(FileError) -> (@Sendable () -> Void)? {
    guard let top = Self.resolved(Array(title.utf8)), let point = Self.resolved(mountPoint) else {
      return nil
    }
    let slash = UInt8(ascii: "/")
    let prefix = top == [slash] ? top : top + [slash]
    guard point.count > prefix.count, point.starts(with: prefix) else { return nil }
    guard uncovered != nil else {
      throw FileError(
        .resourceBusy, "is inside the base \(title), and only the superuser can look past a mount")
    }
    let place = Array(point[prefix.count...])
    covered.add(place)
    startEpoch()
    return { [covered] in covered.remove(place) }
  }

  /// Whether something is mounted by this process at a path of the namespace or on the way to it, so
  /// that what is there cannot be changed.
  public func isCovered(_ path: [UInt8]) -> Bool { covered.contain(Self.place(path)) }

  /// Whether something is mounted by this process below a path of the namespace, so that what is there
  /// cannot be moved.
  public func holdsMounts(_ path: [UInt8]) -> Bool { covered.areBelow(Self.place(path)) }

  private static func place(_ path: [UInt8]) -> BasePath {
    path.split(separator: UInt8(ascii: "/")).reduce(.empty) { $0.appending(Name($1)) }
  }

  private static func resolved(_ path: [UInt8]) -> [UInt8]? {
    guard
      let found = (path + [0]).withUnsafeBufferPointer({ bytes in
        bytes.baseAddress.flatMap { start in
          start.withMemoryRebound(to: CChar.self, capacity: bytes.count) { realpath($0, nil) }
        }
      })
    else { return nil }
    defer { free(found) }
    return Array(UnsafeRawBufferPointer(start: found, count: strlen(found)))
  }
}
