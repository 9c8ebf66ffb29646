import StrataTestSupport
import Testing

@testable import StrataEngine

@Suite struct PersistentMapTests {
  @Test(arguments: [1, 2, 3]) func `random changes agree with a dictionary`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var map = PersistentMap<UInt64, UInt64>()
    var model: [UInt64: UInt64] = [:]
    var copies: [(PersistentMap<UInt64, UInt64>, [UInt64: UInt64])] = []
    for step in 0..<30_000 {
      let key = UInt64.random(in: 0..<2_000, using: &random)
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<5:
        map.insert(key, UInt64(step))
        model[key] = UInt64(step)
      case 5..<8:
        #expect(map.remove(key) == (model.removeValue(forKey: key) != nil))
      case 8:
        let was = map.update(key) { value in
          value += 1
          return value
        }
        if let old = model[key] { model[key] = old + 1 }
        #expect(was == model[key])
      default:
        #expect(map[key] == model[key])
        let floor = model.keys.filter { $0 <= key }.max()
        #expect(map.floor(key)?.key == floor)
      }
      if step % 5_000 == 0 { copies.append((map, model)) }
    }
    copies.append((map, model))
    for (map, model) in copies {
      var listed: [UInt64: UInt64] = [:]
      var last: UInt64?
      map.forEach { key, value in
        if let last { #expect(last < key) }
        last = key
        listed[key] = value
      }
      #expect(listed == model)
    }
  }

  @Test func `a visit starts at the key asked for`() {
    var map = PersistentMap<UInt64, Int>()
    for key in stride(from: UInt64(0), to: 1000, by: 3) { map.insert(key, Int(key)) }
    for start in [UInt64(0), 1, 500, 999, 1000] {
      var seen: [UInt64] = []
      map.forEach(from: start) { key, _ in
        seen.append(key)
        return true
      }
      #expect(seen == stride(from: UInt64(0), to: 1000, by: 3).filter { $0 >= start })
    }
  }

  @Test(arguments: [1, 7]) func `a difference names every change and skips shared pages`(
    seed: UInt64
  ) {
    var random = SeededGenerator(seed: seed)
    var old = PersistentMap<UInt64, Int>()
    for key in 0..<UInt64(100_000) { old.insert(key, 0) }
    var new = old
    var changed: Set<UInt64> = []
    for _ in 0..<10 {
      let key = UInt64.random(in: 0..<120_000, using: &random)
      if Bool.random(using: &random) { new.insert(key, 1) } else { new.remove(key) }
      changed.insert(key)
    }
    var visited = 0
    var found: Set<UInt64> = []
    new.difference(from: old) { key, before, after in
      visited += 1
      if before != after { found.insert(key) }
    }
    #expect(found == changed.filter { old[$0] != new[$0] })
    #expect(visited < 2_000)
  }
}
