import StrataTestSupport
import Synchronization
import Testing

@testable import StrataEngine

@Suite struct NodeHolderTests {
  /// Remembers what it was told last.
  private final class Holder: NodeHolder {
    let isShared = Mutex(false)
    let operation: String? = nil
    let isLogged = true
    func holds(_ node: NodeID) -> Bool { false }
    func writeBack() {}
    func changed(from old: Namespace, to new: Namespace) {}
    func shares(_ isShared: Bool) { self.isShared.withLock { $0 = isShared } }
    func contentChanged(_ node: NodeID) {}
  }

  @Test func `what holders know of each other is right when some have come and gone at once`()
    async throws
  {
    let workspace = try Workspace(bases: [TableBase(device: 1, [])]) { 0 }
    let main = workspace.main
    let (first, second) = (Holder(), Holder())
    main.add(first)
    #expect(!first.isShared.withLock { $0 })
    for _ in 0..<200 {
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<4 {
          group.addTask {
            let guest = Holder()
            main.add(guest)
            main.remove(guest)
          }
        }
      }
      #expect(!first.isShared.withLock { $0 })
    }
    main.add(second)
    #expect(first.isShared.withLock { $0 } && second.isShared.withLock { $0 })
    main.remove(first)
    #expect(!second.isShared.withLock { $0 })
  }
}
