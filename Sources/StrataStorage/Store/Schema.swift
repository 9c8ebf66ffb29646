internal import StrataEngine
internal import SystemPackage

/// The tables of `store.db`, and how those of an older strata become them.
enum Schema {
  /// To be raised with each change; each earlier version then needs its step in ``migrate(_:)``.
  static let version: Int64 = 1
  /// `PRAGMA application_id`: "strt".
  static let application: Int64 = 0x7374_7274

  private static let first = """
    CREATE TABLE counter(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE base(place INTEGER PRIMARY KEY, path BLOB NOT NULL);
    CREATE TABLE record(id INTEGER PRIMARY KEY, data BLOB NOT NULL, checksum INTEGER NOT NULL);
    CREATE TABLE layer(
      id INTEGER PRIMARY KEY, fork INTEGER NOT NULL, name TEXT NOT NULL, parent INTEGER NOT NULL,
      stats BLOB NOT NULL);
    CREATE TABLE data_file(
      layer INTEGER NOT NULL, node INTEGER NOT NULL, checksum INTEGER NOT NULL,
      PRIMARY KEY(layer, node)) WITHOUT ROWID;
    CREATE TABLE fork(
      id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, parent INTEGER, value BLOB NOT NULL,
      origin BLOB NOT NULL);
    CREATE TABLE operation(
      id INTEGER PRIMARY KEY, fork INTEGER NOT NULL, command TEXT NOT NULL, time INTEGER NOT NULL,
      before BLOB NOT NULL, after BLOB NOT NULL, layer INTEGER NOT NULL, state INTEGER NOT NULL);
    CREATE TABLE base_node(
      id INTEGER PRIMARY KEY, base INTEGER NOT NULL, device INTEGER NOT NULL,
      inode INTEGER NOT NULL, generation INTEGER NOT NULL, data BLOB NOT NULL);
    CREATE INDEX base_node_identity ON base_node(inode, device, base, generation);
    CREATE TABLE side_layer(id INTEGER PRIMARY KEY, name TEXT NOT NULL, data BLOB);
    """

  /// Makes the tables of a new file, or brings those of an older version up.
  /// - Throws: ENOTSUP, naming both, for a newer version; EINVAL for a file that is not ours.
  static func prepare(_ database: Database) throws(FileError) {
    var version: Int64 = 0
    var application: Int64 = 0
    try database.run("PRAGMA user_version") { version = $0.integer(0) }
    try database.run("PRAGMA application_id") { application = $0.integer(0) }
    guard version != 0 || application != 0 else {
      try database.transaction { () throws(FileError) in
        try database.execute(first)
        try database.execute("PRAGMA application_id = \(Self.application)")
        try database.execute("PRAGMA user_version = \(Self.version)")
      }
      return
    }
    guard application == Self.application else {
      throw FileError(.invalidArgument, "store.db is not a strata workspace")
    }
    guard version <= Self.version else {
      throw FileError(
        .notSupported,
        "the workspace has format \(version), this strata knows formats up to \(Self.version)")
    }
    if version < Self.version { try migrate(database, from: version) }
  }

  /// Each step goes from one version to the next, all of them in one transaction.
  private static func migrate(
    _ database: Database, from version: Int64
  ) throws(FileError) {
    let steps: [Int64: String] = [:]
    try database.transaction { () throws(FileError) in
      for version in version..<Self.version {
        if let step = steps[version] { try database.execute(step) }
      }
      try database.execute("PRAGMA user_version = \(Self.version)")
    }
  }
}
