/// One thing that a commit does to the names of the host, as far as it matters which node is where.
///
/// Paths are the namespace's, absolute, and mean what they mean when the move's turn comes. Staged
/// names are in the commit's directory.
public enum CommitMove: Equatable, Sendable {
  /// A new object of a node gets a staged name, before anything else is done.
  case make(NodeID, as: [UInt8])
  /// The file at the path gets a staged name as well.
  case link([UInt8], as: [UInt8])
  /// The file with the staged name gets a path as well.
  case add([UInt8], at: [UInt8])
  /// A staged name of a file that has others goes.
  case drop([UInt8])
  /// A path of a file that has others goes.
  case unname([UInt8])
  /// What is at the path, with all that is in it by then, goes to a staged name.
  case take([UInt8], as: [UInt8])
  /// What is staged gets the path.
  case put([UInt8], at: [UInt8])
  /// What is staged and what is at the path change places.
  case swap([UInt8], with: [UInt8])
  /// What is at the path gets the attributes of a node. A directory may have been another node's: it
  /// is this one's from then on.
  case dress([UInt8], as: NodeID)
}
