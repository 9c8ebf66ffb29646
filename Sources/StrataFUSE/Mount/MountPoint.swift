public import StrataEngine
internal import Synchronization

/// Where a mount is attached.
public final class MountPoint: Sendable {
  /// Takes the mount away; lazily, though programs use it.
  public typealias Detach = @Sendable (_ lazily: Bool) throws(FileError) -> Void

  private let state: Mutex<Detach?>

  public init(_ detach: @escaping Detach) { state = Mutex(detach) }

  /// Whether it was not taken away, as far as is known here.
  public var isAttached: Bool { state.withLock { $0 != nil } }

  /// - Parameter lazily: also while programs use it, which go on in it.
  /// - Throws: EBUSY while they do, EINVAL where it is not attached any more, or another thread is about to
  ///   take it away: two that do would take away what lies below as well.
  public func detach(lazily: Bool) throws(FileError) {
    guard let detach = state.withLock({ $0.take() }) else { throw .invalid }
    do throws(FileError) {
      try detach(lazily)
    } catch {
      state.withLock { $0 = detach }
      throw error
    }
  }
}
