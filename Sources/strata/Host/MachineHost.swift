internal import Glibc
internal import StrataEngine
internal import StrataShell

/// The machine that the program runs on, for the shell: as this process sees it, or another one that
/// a session works for.
final class MachineHost: Host {
  /// What the other process sees it from; nil for this one.
  let standpoint: Standpoint?
  let programs: any ProgramStarter

  init() {
    standpoint = nil
    programs = LocalPrograms()
  }

  init(_ standpoint: Standpoint, programs: any ProgramStarter) {
    self.standpoint = standpoint
    self.programs = programs
  }

  func environment(_ name: String) -> [UInt8]? {
    if let standpoint { return standpoint.value(of: Array(name.utf8)) }
    return getenv(name).map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
  }

  func now() -> Timestamp {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return time.nanoseconds
  }

  func secondsFromUTC(at time: Timestamp) -> Int {
    var seconds = time_t(time / 1_000_000_000)
    var broken = tm()
    return localtime_r(&seconds, &broken) == nil ? 0 : broken.tm_gmtoff
  }

  // MARK: Users

  func userName(_ uid: UInt32) -> String? {
    Self.withUser({ getpwuid_r(uid, $0, $1, $2, $3) }) { String(cString: $0.pw_name) }
  }

  func user(named name: String) -> (uid: UInt32, gid: UInt32)? {
    Self.withUser({ getpwnam_r(name, $0, $1, $2, $3) }) { ($0.pw_uid, $0.pw_gid) }
  }

  func groupName(_ gid: UInt32) -> String? {
    Self.withGroup({ getgrgid_r(gid, $0, $1, $2, $3) }) { String(cString: $0.gr_name) }
  }

  func group(named name: String) -> UInt32? {
    Self.withGroup({ getgrnam_r(name, $0, $1, $2, $3) }) { $0.gr_gid }
  }

  private typealias Find<Record> = (
    UnsafeMutablePointer<Record>, UnsafeMutablePointer<CChar>, Int,
    UnsafeMutablePointer<UnsafeMutablePointer<Record>?>
  ) -> Int32

  private static func withUser<R>(_ find: Find<passwd>, _ body: (passwd) -> R) -> R? {
    record(passwd(), find, body)
  }

  private static func withGroup<R>(_ find: Find<group>, _ body: (group) -> R) -> R? {
    record(Glibc.group(), find, body)
  }

  /// Looks a record up, with more room for its strings as long as that is what is missing.
  private static func record<Record, R>(
    _ empty: Record, _ find: Find<Record>, _ body: (Record) -> R
  ) -> R? {
    var room = 1024
    while room <= 1 << 20 {
      var record = empty
      var found: UnsafeMutablePointer<Record>?
      let (status, result) = withUnsafeTemporaryAllocation(of: CChar.self, capacity: room) {
        strings -> (Int32, R?) in
        guard let start = strings.baseAddress else { return (ENOMEM, nil) }
        let status = find(&record, start, room, &found)
        return (status, found == nil ? nil : body(record))
      }
      if status != ERANGE { return result }
      room *= 4
    }
    return nil
  }
}

/// In whose name the program runs.
extension Caller {
  static func ofProcess(command: String = "") -> Caller {
    var groups = [gid_t](repeating: 0, count: Int(max(0, getgroups(0, nil))))
    let count = getgroups(Int32(groups.count), &groups)
    let mask = Glibc.umask(0o022)
    _ = Glibc.umask(mask)
    return Caller(
      uid: geteuid(), gid: getegid(), groups: Array(groups.prefix(Int(max(0, count)))),
      umask: mask, pid: getpid(), command: command)
  }
}

extension timespec {
  var nanoseconds: Timestamp { Timestamp(tv_sec) &* 1_000_000_000 &+ Timestamp(tv_nsec) }

  init(nanoseconds: Timestamp) {
    let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    self.init(
      tv_sec: time_t(rest < 0 ? seconds - 1 : seconds),
      tv_nsec: Int(rest < 0 ? rest + 1_000_000_000 : rest))
  }
}
