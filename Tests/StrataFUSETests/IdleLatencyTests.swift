import Glibc
import Testing

@testable import StrataFUSE

/// What the kernel says of how deeply processors may sleep. Needs root, and a machine that nobody keeps
/// awake; other tests' mounts do now and then.
@Suite(.enabled(if: access("/dev/cpu_dma_latency", R_OK | W_OK) == 0))
struct IdleLatencyTests {
  /// In microseconds.
  private static func bearable() -> Int32 {
    let file = open("/dev/cpu_dma_latency", O_RDONLY | O_CLOEXEC)
    defer { close(file) }
    var value: Int32 = -1
    return read(file, &value, 4) == 4 ? value : -1
  }

  private static func isFreeSoon() -> Bool {
    for _ in 0..<10_000 where bearable() <= 2 { usleep(1000) }
    return bearable() > 2
  }

  @Test func `processors wait lightly while any mount is busy, and no longer`() {
    #expect(Self.isFreeSoon())
    let latency = IdleLatency()
    latency.hold()
    latency.hold()
    latency.release()
    #expect((0...2).contains(Self.bearable()))
    latency.release()
    #expect(Self.isFreeSoon())
  }
}
