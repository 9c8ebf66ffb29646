internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// A regular file of a ``HostDirectory``, open for reading.
final class HostFile: BaseFile {
  private let file: Descriptor
  private let birthLasts: Bool

  init(_ file: Descriptor, birthLasts: Bool) {
    self.file = file
    self.birthLasts = birthLasts
  }

  func stamp() throws(FileError) -> BaseStamp {
    do throws(Errno) {
      guard let status = BaseStatus(try file.status(), birthLasts: birthLasts) else {
        throw Errno.ioError
      }
      return status.stamp
    } catch {
      throw FileError(error)
    }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws(FileError) -> Int {
    do throws(Errno) { return try file.read(into: buffer, at: offset) } catch {
      throw FileError(error)
    }
  }

  func data(after offset: Int64) throws(FileError) -> Range<Int64>? {
    do throws(Errno) { return try file.data(after: offset) } catch { throw FileError(error) }
  }

  func withDescriptor<R>(_ body: (Int32) -> R) -> R? { body(file.rawValue) }
}
