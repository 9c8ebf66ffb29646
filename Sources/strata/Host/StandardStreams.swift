internal import Glibc

/// Standard input, output and error of this process.
enum StandardStreams {
  /// Puts something in the place of those that the process was started without: what is opened next
  /// would get their numbers, and be taken for them. Who reads from it or writes to it is told
  /// EBADF, as before.
  static func fill() {
    for number in 0...2 as ClosedRange<Int32> where fcntl(number, F_GETFD) < 0 {
      // The lowest number that is free is this one.
      _ = open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY)
    }
  }
}
