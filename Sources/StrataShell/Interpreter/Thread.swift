internal import Glibc
package import StrataEngine
internal import SystemPackage

/// A thread of the shell, in which runs what runs in the one that starts it (``RunningCommand``). No
/// two of a session's threads run at once: whoever starts one waits for it, or hands it turns.
package struct Thread {
  private static let stackSize = 8 << 20
  private let thread: pthread_t

  /// - Throws: EAGAIN if there can be no further thread.
  package init(_ body: @escaping () -> Void) throws(FileError) {
    let running = RunningCommand.current
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setstacksize(&attributes, Thread.stackSize)
    var thread = pthread_t()
    let context = Unmanaged.passRetained(
      Transfer { RunningCommand.$current.withValue(running) { body() } })
    let status = pthread_create(
      &thread, &attributes,
      { context in
        guard let context else { return nil }
        Unmanaged<Transfer>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context.toOpaque())
    guard status == 0 else {
      context.release()
      throw FileError(Errno(rawValue: status))
    }
    self.thread = thread
  }

  package func join() { pthread_join(thread, nil) }

  /// Lets it end by itself.
  package func detach() { pthread_detach(thread) }

  /// Runs the body on a stack of its own, and waits for it: for recursion as deep as a tree, which
  /// has no bound that one stack could be made for.
  static func onFreshStack(_ body: () throws -> Void) throws {
    try withoutActuallyEscaping(body) { body in
      let outcome = Outcome()
      let thread = try Thread {
        do { try body() } catch { outcome.error = error }
      }
      thread.join()
      if let error = outcome.error { throw error }
    }
  }

  private final class Outcome { var error: (any Error)? }
}

/// Takes a closure to another thread.
private final class Transfer: @unchecked Sendable {
  // Sendable: the closure runs once, and only while the thread that made it waits.
  let run: () -> Void
  init(_ run: @escaping () -> Void) { self.run = run }
}
