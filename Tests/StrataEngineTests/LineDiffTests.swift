import StrataEngine
import StrataTestSupport
import Testing

@Suite struct LineDiffTests {
  private func applied(_ diff: LineDiff<Character>) -> (old: String, new: String) {
    var (old, new) = ("", "")
    for edit in diff.edits {
      switch edit {
      case .keep(let a, let b):
        old.append(diff.old[a])
        new.append(diff.new[b])
      case .remove(let a): old.append(diff.old[a])
      case .insert(let b): new.append(diff.new[b])
      }
    }
    return (old, new)
  }

  @Test(arguments: [
    ("", ""), ("a", "a"), ("", "abc"), ("abc", ""), ("abcabba", "cbabac"), ("abc", "abd"),
    ("xaby", "xbay"), ("aaaa", "aa"), ("kitten", "sitting"),
  ])
  func `a difference rebuilds both texts`(old: String, new: String) {
    let diff = LineDiff<Character>(old: Array(old), new: Array(new))
    #expect(applied(diff) == (old, new))
    #expect(diff.isEmpty == (old == new))
  }

  @Test func `random texts are rebuilt with the least number of edits`() throws {
    var random = SeededGenerator(seed: try TestSeed.first(1))
    func text() -> [Character] { (0..<random.below(13)).map { _ in random.pick(["a", "b", "c"]) } }
    for _ in 0..<2000 {
      let (old, new) = (text(), text())
      let diff = LineDiff(old: old, new: new)
      #expect(applied(diff) == (String(old), String(new)))
      let kept = diff.edits.count { if case .keep = $0 { true } else { false } }
      #expect(kept == longestCommon(old, new), "\(String(old)) \(String(new))")
    }
  }

  private func longestCommon(_ a: [Character], _ b: [Character]) -> Int {
    var row = [Int](repeating: 0, count: b.count + 1)
    for x in a {
      var next = row
      for (j, y) in b.enumerated() {
        next[j + 1] = x == y ? row[j] + 1 : max(row[j + 1], next[j])
      }
      row = next
    }
    return row[b.count]
  }

  @Test func `texts too different are replaced whole`() {
    let diff = LineDiff(old: Array(0..<100), new: Array(100..<200), limit: 10)
    #expect(diff.edits.count == 200)
    #expect(diff.hunks().map(\.header) == ["@@ -1,100 +1,100 @@"])
  }

  @Test func `hunks keep three lines around and join when they touch`() {
    var new = Array(0..<40)
    new[5] = 100
    new[12] = 101
    new[30] = 102
    let hunks = LineDiff(old: Array(0..<40), new: new).hunks()
    #expect(hunks.map(\.header) == ["@@ -3,14 +3,14 @@", "@@ -28,7 +28,7 @@"])
  }
}
