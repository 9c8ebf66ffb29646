internal import Synchronization
internal import SystemPackage

/// A layer beside the stack that routed nodes live in: forks and undoes like any other, but commit
/// and diff leave it out.
public struct SideLayer: Sendable {
  public let id: SideLayerID
  public let name: String
  /// A host directory whose file system it counts on for room; nil is memory.
  public let dataDirectory: [UInt8]?

  public init(id: SideLayerID, name: String, dataDirectory: [UInt8]?) {
    (self.id, self.name, self.dataDirectory) = (id, name, dataDirectory)
  }
}

extension Workspace {
  public var sideLayers: [SideLayer] { state.withLock { $0.sideLayers } }
  var hasSideLayers: Bool { state.withLock { !$0.sideLayers.isEmpty } }

  public func sideLayer(named name: String) -> SideLayer? {
    sideLayers.first { $0.name == name }
  }

  public func sideLayer(_ id: SideLayerID) -> SideLayer? { sideLayers.first { $0.id == id } }

  /// - Throws: EROFS where nothing can be changed, EEXIST for a name that is taken, EINVAL for one that
  ///   no layer may have.
  @discardableResult
  public func addSideLayer(
    _ name: String, dataDirectory: [UInt8]? = nil
  ) throws(FileError) -> SideLayer {
    guard Self.isValidForkName(name) else { throw .invalid }
    try checkWritable()
    let made = state.withLock { state -> SideLayer? in
      guard !state.sideLayers.contains(where: { $0.name == name }) else { return nil }
      let layer = SideLayer(
        id: SideLayerID(UInt16(state.sideLayers.count + 1)), name: name,
        dataDirectory: dataDirectory)
      state.sideLayers.append(layer)
      return layer
    }
    guard let made else { throw .exists }
    return made
  }
}
