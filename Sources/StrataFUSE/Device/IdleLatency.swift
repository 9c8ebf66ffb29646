internal import Glibc
internal import StrataEngine
internal import StrataSystem
internal import Synchronization

/// How deeply idle processors of this machine may sleep, by the kernel's PM QoS interface
/// (`Documentation/power/pm_qos_interface.rst`, `/dev/cpu_dma_latency`).
///
/// Whoever has sent a request sleeps until it is answered, and waking its processor, in a virtual
/// machine through the host, takes longer than most answers. So while requests come one after another,
/// processors wait lightly; the kernel forgets about it as soon as this process ends. Without the
/// right or the device all stays as it is.
final class IdleLatency: Sendable {
  static let shared = IdleLatency()

  /// In microseconds: what a mount bears while it is busy, and what everybody bears.
  private static let busy: Int32 = isHalting ? 0 : 2
  private static let idle: Int32 = 2_000_000_000
  private let device = opened("/dev/cpu_dma_latency", O_WRONLY)
  /// How many mounts are busy.
  private let holders = Mutex(0)

  /// Where idle means to leave the processor to a host, only waiting awake helps; elsewhere the
  /// lightest sleep does as well.
  private static var isHalting: Bool {
    guard let file = opened("/sys/devices/system/cpu/cpuidle/current_driver", O_RDONLY) else {
      return false
    }
    var name: (UInt64, UInt64) = (0, 0)
    return withUnsafeMutableBytes(of: &name) { name in
      let count = read(file.rawValue, name.baseAddress, name.count)
      return name.prefix(max(0, count)).starts(with: "haltpoll".utf8)
    }
  }

  /// Whether any mount is busy.
  var isHeld: Bool { holders.withLock { $0 > 0 } }

  func hold() { change(by: 1, asking: Self.busy, at: 1) }
  func release() { change(by: -1, asking: Self.idle, at: 0) }

  private func change(by step: Int, asking microseconds: Int32, at count: Int) {
    holders.withLock { holders in
      holders += step
      guard holders == count, let device else { return }
      _ = withUnsafeBytes(of: microseconds) { write(device.rawValue, $0.baseAddress, $0.count) }
    }
  }

  private static func opened(_ path: String, _ flags: Int32) -> Descriptor? {
    let raw = open(path, flags | O_CLOEXEC)
    return raw < 0 ? nil : Descriptor(owning: raw)
  }
}
