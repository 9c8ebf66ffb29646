internal import StrataEngine

/// Replays files and reports: what `strata replay` does.
public final class ReplayRun {
  /// What is asked for.
  public struct Options: Sendable {
    /// Write the files anew with what happened, where it differs.
    public var bless = false
    /// Only the tests whose name this POSIX extended regular expression finds. What comes before
    /// them in the file runs too, unchecked.
    public var filter: [UInt8]?
    /// Where to write a report in JUnit's form.
    public var junit: [UInt8]?

    public init() {}
  }

  /// 0 all hold, 1 some differ, 2 some could not be run.
  public enum ExitStatus {
    public static let (pass, differ, broken): (Int32, Int32, Int32) = (0, 1, 2)
  }

  private let host: any ReplayHost
  private let tell: (String) -> Void
  private let options: Options
  private let pattern: PosixPattern?
  private var report = ReplayReport()

  /// - Parameter tell: takes the diffs, the messages and, at the end, the count.
  public init(_ options: Options, host: any ReplayHost, tell: @escaping (String) -> Void) {
    self.host = host
    self.tell = tell
    self.options = options
    pattern = options.filter.flatMap { PosixPattern($0) }
  }

  public func run(_ files: [[UInt8]]) -> Int32 {
    if let filter = options.filter, pattern == nil {
      tell("replay: '\(String(decoding: filter, as: UTF8.self))' is no regular expression\n")
      return ExitStatus.broken
    }
    for file in files { replayAll(file) }
    tell(report.summary(blessed: options.bless))
    if let junit = options.junit {
      do throws(FileError) {
        try host.replace(junit, with: report.junit)
      } catch {
        tell("replay: \(text(junit)): \(ReplayReport.describe(error))\n")
        return ExitStatus.broken
      }
    }
    if report.brokenCount > 0 { return ExitStatus.broken }
    return report.differCount > 0 && !options.bless ? ExitStatus.differ : ExitStatus.pass
  }

  private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  /// - Parameter path: a file, or a directory of them.
  private func replayAll(_ path: [UInt8]) {
    do throws(FileError) {
      guard let files = try host.transcripts(in: path) else { return replay(path) }
      if files.isEmpty { broken(path, 0, "there is no .session file in this directory") }
      for file in files { replay(file) }
    } catch {
      broken(path, 0, ReplayReport.describe(error))
    }
  }

  private func replay(_ path: [UInt8]) {
    let file: TranscriptFile
    do throws(FileError) {
      file = TranscriptFile(path: path, contents: try host.contents(of: path))
    } catch {
      broken(path, 0, ReplayReport.describe(error))
      return
    }
    if file.isMarkdown, file.blocks.isEmpty {
      broken(path, 1, "there is no ```strata-session block in this file")
    }
    // From the last to the first, so that the lines' places stay right; reported in order.
    var lines = file.lines
    let changes = file.blocks.flatMap { replay(file, $0.lines, name: $0.name) }
    guard options.bless, !changes.isEmpty else { return }
    for change in changes.reversed() {
      lines.replaceSubrange(change.test.lines, with: change.lines)
    }
    do throws(FileError) {
      try host.replace(path, with: file.bytes(of: lines))
    } catch {
      broken(path, 0, ReplayReport.describe(error))
    }
  }

  private func broken(_ path: [UInt8], _ line: Int, _ message: String) {
    tell(report.addBroken(path, line: line, message))
  }

  /// The tests of one transcript whose lines differ from what happened.
  private func replay(_ file: TranscriptFile, _ range: Range<Int>, name: [UInt8])
    -> [Replayer.Result]
  {
    var changes: [Replayer.Result] = []
    do throws(TranscriptError) {
      let transcript = try TranscriptParser.parse(
        file.lines, range, name: name, needsHeader: !file.isMarkdown)
      guard let last = transcript.tests.lastIndex(where: isWanted) else { return [] }
      let replayer = try open(file, transcript.setting, line: range.lowerBound + 1)
      for test in transcript.tests[...last] {
        let result = try replayer.run(test)
        guard isWanted(test) else { continue }
        tell(report.add(file, result))
        if !result.holds { changes.append(result) }
      }
    } catch {
      broken(file.path, error.line, error.message)
    }
    return changes
  }

  private func isWanted(_ test: TranscriptTest) -> Bool { pattern?.matches(test.name) ?? true }

  private func open(_ file: TranscriptFile, _ setting: ReplaySetting, line: Int)
    throws(TranscriptError) -> Replayer
  {
    do throws(FileError) {
      let session = try host.open(setting, relativeTo: file.directory)
      return Replayer(lines: file.lines, session: session, timeout: setting.timeout)
    } catch {
      throw TranscriptError(line: line, ReplayReport.describe(error))
    }
  }
}
