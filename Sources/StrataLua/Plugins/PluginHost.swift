public import StrataEngine

/// What plugins need of the program that they run in.
public protocol PluginHost: AnyObject, Sendable {
  /// The fork that plugins work on outside any event.
  var currentFork: Fork { get }
  /// In whose name plugins use the namespace.
  var caller: Caller { get }
  /// `print`, and what else a plugin says to the person.
  func print(_ bytes: [UInt8])
  /// Problems with plugins, with a traceback where there is one; and `strata.log`. At most 4095
  /// bytes, by a thread that keeps no other from plugins.
  func report(_ text: String)
  /// Bytes that may still be written where a side layer lives; nil directory is memory.
  func freeBytes(_ directory: [UInt8]?) -> Int64
}
