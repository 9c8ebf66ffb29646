internal import StrataEngine
internal import StrataFUSE

extension MountOptions {
  /// Takes an option as mount(8) has them: `ro`, `nodev`, `fsname=NAME` and so on.
  /// - Returns: false for one that is none of these.
  mutating func take(_ option: [UInt8]) -> Bool {
    let name = Array("fsname=".utf8)
    if option.starts(with: name) {
      source = Array(option.dropFirst(name.count))
      return true
    }
    switch String(decoding: option, as: UTF8.self) {
    case "ro": isReadOnly = true
    case "rw": isReadOnly = false
    case "dev": hasDevices = true
    case "nodev": hasDevices = false
    case "suid": hasSetUser = true
    case "nosuid": hasSetUser = false
    case "exec": runsPrograms = true
    case "noexec": runsPrograms = false
    case "noatime": showsNoAccessTimes = true
    case "no_passthrough": usesPassthrough = false
    default: return false
    }
    return true
  }
}
