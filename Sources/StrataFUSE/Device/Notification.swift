internal import StrataEngine

/// What we tell the kernel unasked: `enum fuse_notify_code`. Not from within a request, for it waits
/// for pages and directories that programs hold whose requests wait for us; but ``content(_:of:)`` may
/// be told from within the first open of a file.
struct Notification {
  private var bytes: [UInt8] = []

  /// - Parameter words: numbers of 64 bits, the upper half of the last often padding.
  private init(code: Int32, _ words: [UInt64], _ rest: [UInt8] = []) {
    let count = 16 + 8 * words.count + rest.count
    bytes.reserveCapacity(count)
    withUnsafeBytes(of: UInt32(count)) { bytes += $0 }
    withUnsafeBytes(of: code) { bytes += $0 }
    withUnsafeBytes(of: UInt64(0)) { bytes += $0 }
    for word in words { withUnsafeBytes(of: word) { bytes += $0 } }
    bytes += rest
  }

  /// Attributes and cached content of a node are not what they were.
  static func changed(_ number: UInt64) -> Notification {
    Notification(code: 2, [number, 0, 0])
  }

  /// Cached content of a part of a node is not what it was.
  static func changed(_ number: UInt64, _ part: Range<Int64>) -> Notification {
    Notification(
      code: 2,
      [number, UInt64(bitPattern: part.lowerBound), UInt64(bitPattern: Int64(part.count))])
  }

  /// What a file holds, from its start on.
  static func content(_ content: [UInt8], of number: UInt64) -> Notification {
    Notification(code: 4, [number, 0, UInt64(content.count)], content)
  }

  /// Attributes of a node are not what they were; its content is.
  static func attributesChanged(_ number: UInt64) -> Notification {
    Notification(code: 2, [number, UInt64(bitPattern: -1), 0])
  }

  /// A name is to be looked up again when it is used next. A program that works in a directory of that
  /// name goes on doing so, and what is mounted there stays. Kernels before 6.2 forget the name.
  static func expired(_ name: Name, in directory: UInt64) -> Notification {
    Notification(code: 3, [directory, UInt64(name.count) | 1 << 32], name.bytes + [0])
  }

  /// A name stands for nothing any more.
  static func gone(_ name: Name, in directory: UInt64) -> Notification {
    Notification(code: 3, [directory, UInt64(name.count)], name.bytes + [0])
  }

  /// All names are to be looked up again.
  static let newEpoch = Notification(code: 8, [])

  func send(on device: Device) { bytes.withUnsafeBytes { _ = device.send($0) } }
}
