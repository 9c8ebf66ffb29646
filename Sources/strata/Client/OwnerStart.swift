internal import StrataEngine
internal import StrataShell

/// Starts the process that is to own a workspace.
enum OwnerStart {
  /// - Returns: whether it is the owner now; false if another one was faster.
  /// - Throws: why it cannot be, as it says.
  static func start(_ workspace: [UInt8]) throws(Complaint) -> Bool {
    let greeting: [UInt8]
    do throws(FileError) {
      greeting = try Background.greeting([Array(OwnerProcess.option.utf8), workspace])
    } catch {
      throw Complaint("the workspace's owner cannot be started: \(error.text)")
    }
    switch String(decoding: greeting, as: UTF8.self) {
    case OwnerProcess.Greeting.ready: return true
    case OwnerProcess.Greeting.busy: return false
    case "": throw Complaint("\(ShownName(workspace)): the workspace's owner died at its start")
    case let reason: throw Complaint("\(ShownName(workspace)): \(reason)")
    }
  }
}
