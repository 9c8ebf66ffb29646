/// Fits expected lines to actual ones, so that those which still hold are kept as they are written.
enum LineMatching {
  /// For each actual line, the index of the expected line that it meets, or nil: the longest common
  /// subsequence under ``ExpectedLine/matches(_:)``.
  static func match(_ expected: [ExpectedLine], _ actual: [OutputLine]) -> [Int?] {
    var matched = [Int?](repeating: nil, count: actual.count)
    var start = 0
    while start < min(expected.count, actual.count), expected[start].matches(actual[start]) {
      matched[start] = start
      start += 1
    }
    var (lastExpected, lastActual) = (expected.count, actual.count)
    while lastExpected > start, lastActual > start,
      expected[lastExpected - 1].matches(actual[lastActual - 1])
    {
      lastExpected -= 1
      lastActual -= 1
      matched[lastActual] = lastExpected
    }
    let (rows, columns) = (lastExpected - start, lastActual - start)
    // Beyond that, what differs is written anew as a whole.
    guard rows > 0, columns > 0, rows * columns <= 4_000_000 else { return matched }
    let fits = (0..<rows).map { row in
      (0..<columns).map { expected[start + row].matches(actual[start + $0]) }
    }
    // length[row][column]: of the longest match of what is left from there.
    var length = [[Int32]](repeating: [Int32](repeating: 0, count: columns + 1), count: rows + 1)
    for row in (0..<rows).reversed() {
      for column in (0..<columns).reversed() {
        length[row][column] =
          fits[row][column]
          ? length[row + 1][column + 1] + 1
          : max(length[row + 1][column], length[row][column + 1])
      }
    }
    var (row, column) = (0, 0)
    while row < rows, column < columns {
      if fits[row][column] {
        matched[start + column] = start + row
        (row, column) = (row + 1, column + 1)
      } else if length[row + 1][column] >= length[row][column + 1] {
        row += 1
      } else {
        column += 1
      }
    }
    return matched
  }
}
