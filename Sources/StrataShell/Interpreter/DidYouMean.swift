/// `; did you mean NAME?` if one of the names is close enough, else nothing.
func didYouMean(_ word: String, among names: [String], prefix: String = "") -> String {
  let limit = max(1, word.count / 4)
  let close = names.map { (name: $0, distance: editDistance(word, $0)) }
    .filter { $0.distance <= limit && $0.distance < max(word.count, $0.name.count) }
    .min { ($0.distance, $0.name) < ($1.distance, $1.name) }
  guard let close else { return "" }
  return "; did you mean \(prefix)\(close.name)?"
}

/// How many letters must be added, taken away, replaced, or swapped with their neighbour.
func editDistance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a.unicodeScalars), Array(b.unicodeScalars))
  guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
  guard abs(a.count - b.count) < 8, a.count < 64 else { return max(a.count, b.count) }
  var before: [Int] = []
  var row = Array(0...b.count)
  for i in 1...a.count {
    var next = [i]
    for j in 1...b.count {
      var cost = min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
      if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
        cost = min(cost, before[j - 2] + 1)
      }
      next.append(cost)
    }
    (before, row) = (row, next)
  }
  return row[b.count]
}
