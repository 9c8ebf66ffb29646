internal import CStrataSystem
internal import Glibc
public import SystemPackage

/// A thread that works in the background and gets no signals: those are for the other threads.
public enum WorkerThread {
  /// A thread that ends by itself.
  /// - Throws: EAGAIN if there can be no further thread.
  public static func start(_ body: @escaping @Sendable () -> Void) throws(Errno) {
    _ = try create(body, Int32(PTHREAD_CREATE_DETACHED))
  }

  /// A thread whose end somebody waits for: each must be joined, once.
  /// - Throws: EAGAIN if there can be no further thread.
  public static func startJoinable(
    _ body: @escaping @Sendable () -> Void
  ) throws(Errno) -> Joinable {
    Joinable(thread: try create(body, Int32(PTHREAD_CREATE_JOINABLE)))
  }

  public struct Joinable: Sendable {
    fileprivate let thread: pthread_t

    /// Waits for the end of the thread.
    public func join() { pthread_join(thread, nil) }
  }

  /// The calling thread has little to do at a time, and somebody waits for it: it gets its processor
  /// soon, and leaves it soon to others, who are those that wait.
  public static func takeShortTurns() { strata_take_short_turns(100_000) }

  /// Moves the calling thread to another processor, not for good, if it runs where another one ran last.
  /// - Parameter thread: its number; 0 for none.
  /// - Returns: whether it has moved.
  public static func leaveProcessor(of thread: UInt32) -> Bool {
    thread != 0 && strata_leave_processor_of(pid_t(truncatingIfNeeded: thread))
  }

  private static func create(
    _ body: @escaping @Sendable () -> Void, _ detachState: Int32
  ) throws(Errno) -> pthread_t {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, detachState)
    pthread_attr_setstacksize(&attributes, 4 << 20)
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    var thread = pthread_t()
    let context = Unmanaged.passRetained(Body(body))
    let status = pthread_create(
      &thread, &attributes,
      { context in
        guard let context else { return nil }
        Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, context.toOpaque())
    guard status == 0 else {
      context.release()
      throw Errno(rawValue: status)
    }
    return thread
  }

  private final class Body: Sendable {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
}
