internal import StrataEngine

/// What came of the tests so far, and how that is told.
struct ReplayReport {
  private struct Case {
    let file: [UInt8]
    let name: [UInt8]
    let line: Int
    /// What differs, or why it could not be run.
    let problem: String?
    let isBroken: Bool
  }

  private var cases: [Case] = []

  var brokenCount: Int { cases.count { $0.isBroken } }
  var differCount: Int { cases.count { $0.problem != nil && !$0.isBroken } }

  static func describe(_ error: FileError) -> String {
    error.reason ?? error.text
  }

  /// - Returns: what to print.
  mutating func addBroken(_ file: [UInt8], line: Int, _ message: String) -> String {
    let place = String(decoding: file, as: UTF8.self) + (line > 0 ? ":\(line)" : "")
    cases.append(Case(file: file, name: [], line: line, problem: message, isBroken: true))
    return "replay: \(place): \(message)\n"
  }

  /// - Returns: what to print: a unified diff if the test does not hold.
  mutating func add(_ file: TranscriptFile, _ result: Replayer.Result) -> String {
    let test = result.test
    var problem: String?
    if !result.holds {
      problem = ReplayDiff.text(
        file: file.path, name: test.name, old: Array(file.lines[test.lines]), new: result.lines,
        firstLine: test.lines.lowerBound + 1)
    }
    cases.append(
      Case(
        file: file.path, name: test.name, line: test.lines.lowerBound + 1, problem: problem,
        isBroken: false))
    return problem ?? ""
  }

  func summary(blessed: Bool) -> String {
    let held = cases.count - brokenCount - differCount
    var parts = ["\(held) passed"]
    if differCount > 0 { parts.append("\(differCount) \(blessed ? "written anew" : "differ")") }
    if brokenCount > 0 { parts.append("\(brokenCount) broken") }
    return parts.joined(separator: ", ") + "\n"
  }

  /// The report in JUnit's form: a suite for each file.
  var junit: [UInt8] {
    var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    xml += "<testsuites tests=\"\(cases.count)\" failures=\"\(differCount)\""
    xml += " errors=\"\(brokenCount)\">\n"
    var rest = cases[...]
    while let file = rest.first?.file {
      let suite = rest.prefix { $0.file == file }
      rest = rest.dropFirst(suite.count)
      let failures = suite.count { $0.problem != nil && !$0.isBroken }
      let errors = suite.count { $0.isBroken }
      xml += "  <testsuite name=\"\(Self.quoted(file))\" tests=\"\(suite.count)\""
      xml += " failures=\"\(failures)\" errors=\"\(errors)\">\n"
      for one in suite { xml += Self.element(one) }
      xml += "  </testsuite>\n"
    }
    return Array((xml + "</testsuites>\n").utf8)
  }

  private static func element(_ one: Case) -> String {
    let name = quoted(one.name.isEmpty ? one.file : one.name)
    let head = "    <testcase classname=\"\(quoted(one.file))\" name=\"\(name)\""
    guard let problem = one.problem else { return head + "/>\n" }
    let tag = one.isBroken ? "error" : "failure"
    let message = "\(quoted(one.file)):\(one.line)"
    return head
      + ">\n      <\(tag) message=\"\(message)\">\(quoted(Array(problem.utf8)))</\(tag)>\n"
      + "    </testcase>\n"
  }

  /// As XML text or attribute; what XML cannot hold is replaced.
  private static func quoted(_ bytes: [UInt8]) -> String {
    var result = ""
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n", "\t": result.unicodeScalars.append(scalar)
      case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF:
        result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
