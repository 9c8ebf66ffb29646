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

  @Test func `where programs come back and back, nobody need ask any more`() {
    for number in 1...100 { #expect(opened.open(UInt64(number), nodes) == .passes) }
    var count = 0
    while opened.open(1, nodes) == .keeps, count < 10_000 { count += 1 }
    #expect(100...1000 ~= count)
    #expect(opened.open(2, nodes) == .needNotAsk)
  }
}
