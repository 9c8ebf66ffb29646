import Glibc
import SystemPackage

/// System calls that Swift's Glibc module leaves out, found in the C library by name.
enum OverlayCalls {
  typealias Unshare = @convention(c) (Int32) -> Int32
  typealias RenameAt2 =
    @convention(c) (
      Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32
    ) -> Int32
  typealias SetXattr =
    @convention(c) (
      UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeRawPointer?, Int, Int32
    ) -> Int32
  typealias GetXattr =
    @convention(c) (
      UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafeMutableRawPointer?, Int
    ) -> Int
  typealias ListXattr =
    @convention(c) (
      UnsafePointer<CChar>, UnsafeMutablePointer<CChar>?, Int
    ) -> Int
  typealias RemoveXattr =
    @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32
  typealias Fallocate = @convention(c) (Int32, Int32, Int, Int) -> Int32

  /// - Throws: ENOSYS if the C library has no such function.
  static func find<Function>(_ name: String, _ type: Function.Type) throws(Errno) -> Function {
    guard let symbol = dlsym(nil, name) else { throw .noFunction }
    return unsafeBitCast(symbol, to: type)
  }

  /// - Throws: what `errno` says if the result is below 0.
  @discardableResult
  static func check<Result: SignedInteger>(_ result: Result) throws(Errno) -> Result {
    guard result >= 0 else { throw Errno(rawValue: errno) }
    return result
  }

  /// A path as C wants it; the bytes hold no NUL.
  static func cString(_ path: [UInt8]) -> [CChar] { path.map { CChar(bitPattern: $0) } + [0] }
}
