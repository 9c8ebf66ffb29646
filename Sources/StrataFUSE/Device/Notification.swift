internal import StrataEngine

/// What we tell the kernel unasked: `enum fuse_notify_code`. Never from within a request.
struct Notification {
  private var bytes: [UInt8] = []

  private init(code: Int32, _ words: [UInt64], name: [UInt8]? = nil) {
    var body: [UInt8] = []
    for word in words { withUnsafeBytes(of: word) { body += $0 } }
    if let name {
      withUnsafeBytes(of: UInt32(name.count)) { body += $0 }
      withUnsafeBytes(of: UInt32(0)) { body += $0 }
      body += name + [0]
    }
    withUnsafeBytes(of: UInt32(16 + body.count)) { bytes += $0 }
    withUnsafeBytes(of: code) { bytes += $0 }
    withUnsafeBytes(of: UInt64(0)) { bytes += $0 }
    bytes += body
  }

  /// Attributes and cached content of a node are not what they were.
  static func changed(_ number: UInt64) -> Notification {
    Notification(code: 2, [number, 0, 0])
  }

  /// A name stands for something else, or for nothing.
  static func renamed(_ name: Name, in directory: UInt64) -> Notification {
    Notification(code: 3, [directory], name: name.bytes)
  }

  /// All names are to be looked up again.
  static let newEpoch = Notification(code: 8, [])

  func send(on device: Device) { bytes.withUnsafeBytes { _ = device.send($0) } }
}
