import Glibc
import StrataEngine
import StrataTestSupport
import Testing

/// `git merge-file` is the oracle: what it says of the same three texts must come out, byte by byte.
@Suite struct LineMergeTests {
  private let labels = LineMerge.Labels(ours: "ours", theirs: "theirs")

  private func merge(_ ancestor: String, _ ours: String, _ theirs: String) -> LineMerge {
    LineMerge(ancestor: Array(ancestor.utf8), ours: Array(ours.utf8), theirs: Array(theirs.utf8))
  }

  @Test func `changes of different lines are both taken`() {
    let merge = merge("1\n2\n3\n4\n5\n", "one\n2\n3\n4\n5\n", "1\n2\n3\n4\nfive\nsix\n")
    #expect(merge.merged.map { String(decoding: $0, as: UTF8.self) } == "one\n2\n3\n4\nfive\nsix\n")
  }

  @Test func `the same change on both sides is taken once`() {
    #expect(merge("a\nb\nc\n", "a\nB\nc\n", "a\nB\nc\n").merged == Array("a\nB\nc\n".utf8))
  }

  @Test func `changes of one line, or of lines next to each other, are a conflict`() {
    #expect(merge("a\nb\nc\n", "a\nX\nc\n", "a\nY\nc\n").merged == nil)
    #expect(merge("a\nb\nc\n", "A\nb\nc\n", "a\nB\nc\n").conflicts == 1)
  }

  @Test func `markers name both sides`() {
    let text = merge("a\nb\nc\n", "a\nX\nc\n", "a\nY").marked(labels)
    #expect(
      String(decoding: text, as: UTF8.self)
        == "a\n<<<<<<< ours\nX\nc\n=======\nY\n>>>>>>> theirs\n")
  }

  @Test func `random texts merge as git merge-file merges them`() throws {
    let directory = try TemporaryDirectory()
    let seed = try TestSeed.first(1)
    for run in 0..<120 {
      var random = SeededGenerator(seed: seed &+ UInt64(run))
      let texts = RandomTexts(&random)
      for (name, text) in [("a", texts.ancestor), ("o", texts.ours), ("t", texts.theirs)] {
        try directory.write(Array(directory.appending(name).utf8), text, at: 0, flags: O_TRUNC)
      }
      let git = try ChildProcess(
        [
          "git", "merge-file", "-p", "-L", "ours", "-L", "ancestor", "-L", "theirs",
        ] + ["o", "a", "t"].map { "\(directory.path)/\($0)" })
      let merge = LineMerge(
        ancestor: texts.ancestor, ours: texts.ours, theirs: texts.theirs)
      #expect(Int32(min(merge.conflicts, 127)) == git.status, "STRATA_SEED=\(seed &+ UInt64(run))")
      #expect(
        String(decoding: merge.marked(labels), as: UTF8.self) == git.text,
        "STRATA_SEED=\(seed &+ UInt64(run))")
    }
  }
}

/// A text and two edits of it. Lines are of their own, but for some that say little.
private struct RandomTexts {
  var ancestor: [UInt8] = []
  var ours: [UInt8] = []
  var theirs: [UInt8] = []

  init(_ random: inout SeededGenerator) {
    let end = random.chance(10) ? "\r\n" : "\n"
    let lines = (0..<random.below(60)).map { number in
      random.chance(10) ? "}" : "line \(number) \(random.below(1000))"
    }
    ancestor = Self.bytes(lines, end, &random)
    let left = Self.edit(lines, "x", &random)
    let right = random.chance(10) ? left : Self.edit(lines, random.chance(20) ? "x" : "y", &random)
    ours = Self.bytes(left, end, &random)
    theirs = Self.bytes(right, end, &random)
  }

  private static func bytes(
    _ lines: [String], _ end: String, _ random: inout SeededGenerator
  ) -> [UInt8] {
    let text = lines.joined(separator: end) + (lines.isEmpty || random.chance(10) ? "" : end)
    return Array(text.utf8)
  }

  private static func edit(
    _ lines: [String], _ mark: String, _ random: inout SeededGenerator
  ) -> [String] {
    var result: [String] = []
    for line in lines {
      switch random.below(100) {
      case ..<5: continue
      case ..<12: result.append("\(line) \(mark)")
      case ..<17:
        result.append(line)
        result += (0...random.below(3)).map { "new \($0) \(mark)" }
      default: result.append(line)
      }
    }
    if random.chance(10) { result.append("end \(mark)") }
    return result
  }
}
