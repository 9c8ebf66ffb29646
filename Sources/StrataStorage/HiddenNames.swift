public import StrataEngine

/// Names at the top of a base that are not the base's, and are not shown.
public struct HiddenNames: Sendable, ExpressibleByArrayLiteral {
  private let names: Set<Name>
  private let prefix: [UInt8]

  private init(_ names: Set<Name>, prefix: [UInt8]) { (self.names, self.prefix) = (names, prefix) }

  public init(arrayLiteral names: Name...) { self.init(Set(names), prefix: []) }

  /// What directories of commits are called that are in a base, whoever's they are.
  static let commits = Array(".strata-commit".utf8)

  /// What workspaces have put there, this one and others.
  public static let workspaces = HiddenNames([WorkspaceDirectory.name], prefix: commits)

  var isEmpty: Bool { names.isEmpty && prefix.isEmpty }

  func contains(_ name: Name) -> Bool {
    names.contains(name) || !prefix.isEmpty && name.bytes.starts(with: prefix)
  }
}
