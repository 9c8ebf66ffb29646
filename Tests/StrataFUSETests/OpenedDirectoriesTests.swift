import StrataEngine
import Testing

@testable import StrataFUSE

/// Of which directories the kernel is to keep what they list.
@Suite struct OpenedDirectoriesTests {
  private let nodes = NodeTable()
  private let opened = OpenedDirectories()

  private static let second: Timestamp = 1_000_000_000

  private func isKept(_ directory: UInt64, changed: Timestamp = 0) -> Bool {
    opened.isKept(directory, changed: changed, now: 100 * Self.second, nodes)
  }

  @Test func `who walks through a tree passes, who comes again finds what was kept`() {
    #expect(!isKept(7))
    #expect(!isKept(8))
    #expect(isKept(7))
    #expect(isKept(7))
  }

  @Test func `a directory in which files were looked up is kept from the first time on`() {
    opened.lookedUp(in: 7, nodes)
    #expect(isKept(7))
    #expect(!isKept(8))
  }

  @Test func `what the kernel has forgotten is walked through again`() {
    let number = nodes.lookUp(NodeID(9))
    #expect(!isKept(number))
    #expect(nodes.forget(number, 1))
    #expect(!isKept(number))
    #expect(isKept(number))
  }

  @Test func `what has changed a moment ago, or will have, is not kept`() {
    opened.lookedUp(in: 7, nodes)
    #expect(!isKept(7, changed: 99 * Self.second))
    #expect(!isKept(7, changed: 101 * Self.second))
    #expect(isKept(7, changed: 90 * Self.second))
  }
}
