import StrataEngine

@testable import StrataShell

/// Files in memory, and sessions that answer from a table.
final class FakeReplayHost: ReplayHost {
  var files: [String: String] = [:]
  var answers: [String: ReplayOutcome] = [:]
  var printed = ""
  var settings: [ReplaySetting] = []
  var directories: [String] = []

  func contents(of file: [UInt8]) throws(FileError) -> [UInt8] {
    guard let text = files[String(decoding: file, as: UTF8.self)] else { throw .notFound }
    return Array(text.utf8)
  }

  func replace(_ file: [UInt8], with bytes: [UInt8]) throws(FileError) {
    files[String(decoding: file, as: UTF8.self)] = String(decoding: bytes, as: UTF8.self)
  }

  func open(_ setting: ReplaySetting, relativeTo directory: [UInt8]) throws(FileError)
    -> any ReplaySession
  {
    settings.append(setting)
    directories.append(String(decoding: directory, as: UTF8.self))
    return FakeReplaySession(answers)
  }

  func transcripts(in directory: [UInt8]) throws(FileError) -> [[UInt8]]? {
    guard directory.last == UInt8(ascii: "/") else { return nil }
    let prefix = String(decoding: directory, as: UTF8.self)
    return files.keys.filter { $0.hasPrefix(prefix) }.sorted().map { Array($0.utf8) }
  }

  /// Replays one file with the text and tells the exit status.
  func replay(
    _ text: String, as file: String = "a.session", _ options: ReplayRun.Options = .init()
  ) -> Int32 {
    files[file] = text
    return run([file], options)
  }
}

extension FakeReplayHost {
  func run(_ files: [String], _ options: ReplayRun.Options = .init()) -> Int32 {
    ReplayRun(options, host: self) { self.printed += $0 }.run(files.map { Array($0.utf8) })
  }
}

/// Knows `fork NAME`, `cd PATH`, and what the table says; all else is not found.
final class FakeReplaySession: ReplaySession {
  private var fork = "main"
  private var directory = "/"
  private let answers: [String: ReplayOutcome]

  init(_ answers: [String: ReplayOutcome]) { self.answers = answers }

  var prompt: [UInt8] { Array("\(fork):\(directory)> ".utf8) }

  func run(_ input: [UInt8], timeout: Int) -> ReplayOutcome {
    let text = String(decoding: input, as: UTF8.self)
    if let answer = answers[text] { return answer }
    let words = text.split(separator: " ")
    if words.count == 2, words[0] == "fork" {
      fork = String(words[1])
      return ReplayOutcome()
    }
    if words.count == 2, words[0] == "cd" {
      directory = String(words[1])
      return ReplayOutcome()
    }
    return ReplayOutcome(pieces: [.output(Array("\(text): not found\n".utf8))], status: 127)
  }
}

extension ReplayOutcome {
  /// Output that is text.
  init(_ text: String, status: Int32 = 0) {
    self.init(pieces: [.output(Array(text.utf8))], status: status)
  }
}
