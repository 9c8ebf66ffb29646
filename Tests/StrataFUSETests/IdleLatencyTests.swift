import Glibc
import Testing

@testable import StrataFUSE

/// What the kernel says of how deeply processors may sleep; other mounts have their say in that too.
struct IdleLatencyTests {
  /// In microseconds; nil where this process may not know.
  private static func bearable() -> Int32? {
    let file = open("/dev/cpu_dma_latency", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var value: Int32 = -1
    return read(file, &value, 4) == 4 ? value : nil
  }

  @Test("Processors wait lightly while any mount is busy, and no longer")
  func holds() {
    guard let before = Self.bearable(), before > 2 else { return }
    let latency = IdleLatency()
    latency.hold()
    latency.hold()
    latency.release()
    #expect(Self.bearable().map { $0 <= 2 } == true)
    latency.release()
    var after = Self.bearable()
    for _ in 0..<10_000 where after != before {
      usleep(1000)
      after = Self.bearable()
    }
    #expect(after == before)
  }
}
