internal import StrataEngine
internal import StrataShell
internal import StrataStorage

/// A file of the machine that is being written, and appears when it is finished.
final class MachineOutput: HostFile {
  private let output: HostOutput

  init(_ path: [UInt8], mode: UInt32) throws(FileError) {
    output = try HostTree().create(path, mode: mode)
  }

  func read(_ count: Int, at offset: Int64) throws(FileError) -> [UInt8] {
    throw FileError(.badFileDescriptor)
  }

  func write(_ bytes: [UInt8], at offset: Int64) throws(FileError) {
    try output.write(bytes, at: offset)
  }

  func finish() throws(FileError) { try output.finish() }
}
