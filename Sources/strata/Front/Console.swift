internal import Glibc
internal import StrataShell

/// The streams of a session, and what its user wants of them.
struct Console: Sendable {
  var isJSON: Bool
  var color: ColorChoice
  var streams = Streams.descriptors([0, 1, 2])

  enum Streams: Sendable {
    /// Standard input, output and error, which host programs inherit.
    case descriptors([Int32])
    /// Places that only the shell knows.
    case sinks(output: any ByteSink, error: any ByteSink, width: Int)
  }

  /// The streams as they are now.
  func output(_ host: any Host) -> Output {
    switch streams {
    case .descriptors(let numbers):
      let isTerminal = isatty(numbers[1]) == 1
      var size = winsize()
      let hasSize = isTerminal && ioctl(numbers[1], UInt(TIOCGWINSZ), &size) == 0
      return Output(
        standardOutput: DescriptorSink(numbers[1]), standardError: DescriptorSink(numbers[2]),
        isTerminal: isTerminal, isColored: isColored(isTerminal, host),
        width: hasSize && size.ws_col > 0 ? Int(size.ws_col) : 80, isJSON: isJSON,
        isProcessOutput: true)
    case .sinks(let output, let error, let width):
      return Output(
        standardOutput: output, standardError: error, isColored: color == .always, width: width,
        isJSON: isJSON)
    }
  }

  func input(_ cancellation: Cancellation) -> any ByteSource {
    switch streams {
    case .descriptors(let numbers): DescriptorSource(numbers[0], cancellation)
    case .sinks: MemorySource()
    }
  }

  /// `NO_COLOR`, when it is not empty, says no (no-color.org), unless the command line says more.
  private func isColored(_ isTerminal: Bool, _ host: any Host) -> Bool {
    switch color {
    case .always: return true
    case .never: return false
    case .auto:
      let refused = host.environment("NO_COLOR").map { !$0.isEmpty } ?? false
      return isTerminal && !refused && host.environment("TERM") != Array("dumb".utf8)
    }
  }
}
