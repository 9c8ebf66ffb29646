internal import Glibc
internal import StrataEngine
internal import SystemPackage

/// A host program as one command of a pipeline.
struct HostStage {
  let session: Session
  let input: any ByteSource
  let output: Output
  /// See ``HostCommand/takesSignals``.
  var takesSignals = false

  func run(_ line: [UInt8], _ descriptors: [Int32] = []) throws -> Int32 {
    let isInherited = self.output.isProcessOutput
    let inputIsInherited = self.input.isProcessInput
    var command = HostCommand(
      line: line, environment: session.variables,
      input: inputIsInherited ? .inherited : .piped,
      output: isInherited ? .inherited : .piped, error: isInherited ? .inherited : .piped,
      descriptors: descriptors)
    command.takesSignals = takesSignals
    let process: any HostProcess
    do {
      process = try session.host.start(command)
    } catch {
      throw CommandFailure("sh: \(error.text)", status: ExitStatus.notExecutable)
    }
    do {
      if !inputIsInherited { try feed(process) }
      var told = 0
      while try !pass(try process.read()) {
        // As often as it was asked for: to many programs, a second one says that it is urgent; and the
        // first reaches no program that a shell is just about to start.
        let times = session.cancellation.times
        if times > told { process.signal(SIGINT) }
        told = times
      }
    } catch {
      // Nobody takes what it writes any more.
      process.signal(error.errno == .brokenPipe ? SIGPIPE : SIGTERM)
      process.closeInput()
      let status = try process.wait()
      if error.errno == .brokenPipe { return status }
      throw CommandFailure(error.text)
    }
    return try process.wait()
  }

  private func feed(_ process: any HostProcess) throws(FileError) {
    defer { process.closeInput() }
    while true {
      let bytes = try input.read()
      if bytes.isEmpty || session.cancellation.isCancelled { return }
      do {
        try process.write(bytes)
      } catch {
        if error.errno == .brokenPipe { return }
        throw error
      }
      while let chunk = try process.readAvailable(), try !pass(chunk) {}
    }
  }

  /// - Returns: whether that was the end.
  private func pass(_ chunk: HostChunk) throws(FileError) -> Bool {
    switch chunk {
    case .output(let bytes): try output.standardOutput.write(bytes)
    case .error(let bytes): try? output.standardError.write(bytes)
    case .end: return true
    }
    return false
  }
}

extension Context {
  /// Runs a line of the host's `sh` with the command's streams.
  /// - Parameters:
  ///   - descriptors: what it gets open besides, see ``HostCommand/descriptors``.
  ///   - takesSignals: see ``HostCommand/takesSignals``.
  /// - Returns: its exit status.
  public func runHost(
    _ line: [UInt8], _ descriptors: [Int32] = [], takesSignals: Bool = false
  ) throws -> Int32 {
    try flush()
    return try HostStage(
      session: session, input: input, output: output, takesSignals: takesSignals
    ).run(line, descriptors)
  }
}
