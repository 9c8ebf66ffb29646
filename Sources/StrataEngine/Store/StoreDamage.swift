/// What of a store cannot be read, or is not what was written.
struct StoreDamage {
  struct File {
    /// Bytes that the file must have at the least.
    var size: Int64
    var why: String
  }

  /// Records that are pages of maps.
  var pages: Set<UInt64> = []
  /// Records that hold the content of small files.
  var contents: Set<UInt64> = []
  var files: [DataFileID: File] = [:]
  /// Nodes of the bases that are not known any more.
  var baseNodes: Set<NodeID> = []

  var problems: [CheckReport.Problem] {
    files.sorted { ($0.key.layer, $0.key.node) < ($1.key.layer, $1.key.node) }.map {
      .init(place: "store", what: $0.key.path, why: $0.value.why)
    }
  }

  /// What is wrong with content that a fork shows; nil if nothing is.
  func fault(of content: FileContent) -> String? {
    guard !contents.isEmpty || !files.isEmpty else { return nil }
    var found: String?
    content.extents.forEach(from: 0) { _, extent in
      guard case .stored(let stored) = extent.holding else { return true }
      if stored.record != 0 {
        if contents.contains(stored.record) { found = "record \(stored.record) is damaged" }
      } else {
        let file = DataFileID(layer: stored.owner, node: stored.node)
        found = files[file].map { "\(file.path) \($0.why)" }
      }
      return found == nil
    }
    return found
  }
}

extension DataFileID {
  /// Inside the workspace's directory.
  var path: String { "data/\(layer.rawValue)/\(node.rawValue)" }
}
