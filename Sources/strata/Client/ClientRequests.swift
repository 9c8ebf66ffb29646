internal import Glibc
internal import StrataEngine
internal import StrataShell
internal import StrataSystem
internal import SystemPackage

/// What an owner asks of its client: to show output, for input, to run programs of the host.
struct ClientRequests {
  private let isTrusted: Bool
  private let owner: Wire
  /// Whether somebody wants what the owner does to end, of which it is told then.
  var isInterrupted: () -> Bool = { false }
  private var programs: [Int64: LocalProgram] = [:]
  private var last: Int64 = 0

  /// - Parameters:
  ///   - isTrusted: the owner may have programs started.
  ///   - owner: the connection to it.
  init(isTrusted: Bool, _ owner: Wire) { (self.isTrusted, self.owner) = (isTrusted, owner) }

  mutating func answer(
    _ method: String, _ json: JSON, _ descriptors: [Descriptor]
  ) -> Result<JSON, RemoteError> {
    let params = Parameters(json)
    do throws(RemoteError) {
      switch method {
      case "output": try show(params, DescriptorSink(1))
      case "error": try show(params, DescriptorSink(2))
      case "stdin": return .success(.members(["data": .bytes(try input())]))
      case "start" where isTrusted: return .success(try start(params, descriptors))
      case "wait" where isTrusted: return .success(try wait(params))
      case "signal" where isTrusted: try signal(params)
      default: throw RemoteError(.unknownMethod, "no method \(method)")
      }
    } catch {
      return .failure(error)
    }
    return .success(.object([]))
  }

  private func show(_ params: Parameters, _ sink: DescriptorSink) throws(RemoteError) {
    let bytes = try params.bytes("data")
    do throws(FileError) { try sink.write(bytes) } catch { throw RemoteError(error) }
  }

  /// What comes next from standard input, unless somebody interrupts that, or the owner goes.
  private func input() throws(RemoteError) -> [UInt8] {
    do throws(FileError) {
      // Who is in the background of a terminal is stopped there.
      return try DescriptorSource.read(0) { () throws(FileError) in
        if isInterrupted() { throw FileError(.interrupted) }
        if owner.hasEnded { throw FileError(.connectionReset) }
      }
    } catch {
      throw RemoteError(error)
    }
  }

  // MARK: Programs

  private static let streams: ClosedRange<Int64> = 0...2
  private static let further =
    Int64(
      HostCommand.firstDescriptor)..<Int64(
      HostCommand.firstDescriptor + HostCommand.mostDescriptors)

  private mutating func start(
    _ params: Parameters, _ descriptors: [Descriptor]
  ) throws(RemoteError) -> JSON {
    let line = try params.bytes("line")
    guard let pipes = params["pipes"]?.elements?.compactMap(\.integerValue),
      let closed = params["closed"]?.elements?.compactMap(\.integerValue),
      pipes.count == descriptors.count, closed.allSatisfy({ Self.streams.contains($0) }),
      pipes.allSatisfy({ Self.streams.contains($0) || Self.further.contains($0) })
    else { throw RemoteError(.invalidParams, "pipes and closed are lists of streams") }
    var variables: [String: [UInt8]] = [:]
    for entry in try params.optionalList("env") ?? [] {
      let name = entry.prefix { $0 != UInt8(ascii: "=") }
      variables[String(decoding: name, as: UTF8.self)] = Array(entry.dropFirst(name.count + 1))
    }
    var spawn = Spawn()
    for (stream, end) in zip(pipes, descriptors) { spawn.lend(end.rawValue, as: Int32(stream)) }
    for stream in closed { spawn.close(Int32(stream)) }
    let takesSignals = try params.optionalBool("signals") ?? false
    do throws(FileError) {
      let pid = try spawn.start(
        ["/bin/sh", "-c"].map { Array($0.utf8) } + [line], variables)
      last += 1
      programs[last] = LocalProgram(pid, ownsGroup: false, takesSignals: takesSignals)
    } catch {
      throw RemoteError(error)
    }
    return .members(["program": .integer(last)])
  }

  private mutating func wait(_ params: Parameters) throws(RemoteError) -> JSON {
    let (number, program) = try program(params)
    programs[number] = nil
    do throws(FileError) {
      return .members(["status": .int(try program.wait())])
    } catch {
      throw RemoteError(error)
    }
  }

  private func signal(_ params: Parameters) throws(RemoteError) {
    let number = try params.optionalInteger("signal") ?? 0
    try program(params).1.signal(Int32(truncatingIfNeeded: number))
  }

  private func program(_ params: Parameters) throws(RemoteError) -> (Int64, LocalProgram) {
    guard let number = try params.optionalInteger("program"), let program = programs[number] else {
      throw RemoteError(.invalidParams, "there is no such program")
    }
    return (number, program)
  }
}
