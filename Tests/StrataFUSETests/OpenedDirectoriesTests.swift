import StrataEngine
import Testing

@testable import StrataFUSE

/// Of which directories the kernel is to keep what they list.
@Suite struct OpenedDirectoriesTests {
  private let nodes = NodeTable()
  private let opened = OpenedDirectories()

  @Test func `who walks through a tree passes, who comes again finds what was kept`() {
    #expect(opened.open(7, nodes) == .passes)
    #expect(opened.open(8, nodes) == .passes)
    #expect(opened.open(7, nodes) == .keeps)
    #expect(opened.open(7, nodes) == .keeps)
  }

  @Test func `a directory in which files were looked up is kept from the first time on`() {
    opened.lookedUp(in: 7, nodes)
    #expect(opened.open(7, nodes) == .keeps)
    #expect(opened.open(8, nodes) == .passes)
  }

  @Test func `what the kernel has forgotten is walked through again`() {
    let number = nodes.lookUp(NodeID(9))
    #expect(opened.open(number, nodes) == .passes)
    #expect(nodes.forget(number, 1))
    #expect(opened.open(number, nodes) == .passes)
    #expect(opened.open(number, nodes) == .keeps)
  }

  /// Until nobody need ask: so many directories were opened.
  private func openings(of directory: (Int) -> UInt64, entries: Int) -> Int {
    for count in 0..<10_000 {
      let answer = opened.open(directory(count), nodes)
      if answer == .needNotAsk { return count }
      if answer == .passes { opened.passed(entries) }
    }
    return .max
  }

  @Test func `where programs come back and back, nobody need ask any more`() {
    #expect(100...1000 ~= openings(of: { UInt64(1 + $0 % 50) }, entries: 200))
    #expect(opened.open(1, nodes) == .needNotAsk)
  }

  @Test func `nor where directories are small`() {
    #expect(100...1000 ~= openings(of: { UInt64(1 + $0) }, entries: 5))
  }

  @Test func `large directories may be walked through for ever`() {
    #expect(openings(of: { UInt64(1 + $0) }, entries: 200) == .max)
    // What was won then is not for good.
    #expect(100...1000 ~= openings(of: { _ in 1 }, entries: 200))
  }
}
