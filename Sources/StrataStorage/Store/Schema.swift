internal import StrataEngine
internal import SystemPackage

/// The tables of `store.db`, and how those of an older strata become them.
enum Schema {
  /// What each version has changed, from the first on. What was released is never edited.
  private static let steps = [first, events, sums, origins, mirrors]
  static let version = Int64(steps.count)
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

  /// What `why` tells of nodes. An event belongs to the layer that it has led to.
  private static let events = """
    CREATE TABLE event(
      id INTEGER PRIMARY KEY, node INTEGER NOT NULL, kind TEXT NOT NULL, source INTEGER NOT NULL,
      layer INTEGER NOT NULL, bytes INTEGER, rule TEXT);
    CREATE INDEX event_node ON event(node);
    CREATE INDEX event_layer ON event(layer);
    """

  /// A data file whose content came by the kernel's hand has no checksum at first.
  private static let sums = """
    ALTER TABLE data_file RENAME TO former;
    CREATE TABLE data_file(
      layer INTEGER NOT NULL, node INTEGER NOT NULL, checksum INTEGER, PRIMARY KEY(layer, node)
    ) WITHOUT ROWID;
    INSERT INTO data_file SELECT layer, node, checksum FROM former;
    DROP TABLE former;
    CREATE INDEX data_file_later ON data_file(layer) WHERE checksum IS NULL;
    """

  /// Where a layer comes from: how deep it lies, and what it has taken by merges.
  private static let origins = """
    ALTER TABLE layer ADD COLUMN depth INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE layer ADD COLUMN sources BLOB NOT NULL DEFAULT x'';
    WITH RECURSIVE found(id, depth) AS (
      SELECT id, 0 FROM layer WHERE parent NOT IN (SELECT id FROM layer)
      UNION ALL SELECT layer.id, found.depth + 1 FROM layer JOIN found ON layer.parent = found.id)
    UPDATE layer SET depth = found.depth FROM found WHERE found.id = layer.id;
    """

  /// The small tables once more, see ``Database/MirroredTable``. All that is said of tables must have room
  /// in the first page, see ``StoreHead``.
  private static let mirrors = """
    CREATE TABLE counter_mirror(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE base_mirror(place INTEGER PRIMARY KEY, path BLOB NOT NULL);
    CREATE TABLE fork_mirror(
      id INTEGER PRIMARY KEY, name TEXT NOT NULL, parent INTEGER, value BLOB NOT NULL,
      origin BLOB NOT NULL);
    CREATE TABLE side_layer_mirror(id INTEGER PRIMARY KEY, name TEXT NOT NULL, data BLOB);
    INSERT INTO counter_mirror SELECT name, value FROM counter;
    INSERT INTO base_mirror SELECT place, path FROM base;
    INSERT INTO fork_mirror SELECT id, name, parent, value, origin FROM fork;
    INSERT INTO side_layer_mirror SELECT id, name, data FROM side_layer;
    CREATE TRIGGER counter_put AFTER INSERT ON counter BEGIN
      INSERT OR REPLACE INTO counter_mirror VALUES(new.name, new.value); END;
    CREATE TRIGGER base_put AFTER INSERT ON base BEGIN
      INSERT OR REPLACE INTO base_mirror VALUES(new.place, new.path); END;
    CREATE TRIGGER fork_put AFTER INSERT ON fork BEGIN
      INSERT OR REPLACE INTO fork_mirror
      VALUES(new.id, new.name, new.parent, new.value, new.origin); END;
    CREATE TRIGGER side_put AFTER INSERT ON side_layer BEGIN
      INSERT OR REPLACE INTO side_layer_mirror VALUES(new.id, new.name, new.data); END;
    """

  /// What must be said before a file has its first page. Later it would take room on the disk for
  /// nothing.
  static func setUp(_ database: Database) throws(FileError) {
    var pages: Int64 = 0
    try database.run("PRAGMA page_count") { pages = $0.integer(0) }
    if pages == 0 { try database.execute("PRAGMA auto_vacuum = INCREMENTAL") }
  }

  /// - Throws: ENOTSUP for a file that ``prepare(_:)`` would change, and what that says.
  static func check(_ database: Database) throws(FileError) {
    guard try !isBehind(database) else {
      throw FileError(
        .notSupported,
        saying: "the workspace has an older format, and must be opened once where it can be written"
      )
    }
  }

  /// Makes the tables of a new file, or brings those of an older version up.
  /// - Parameter forget: called before any of that.
  /// - Throws: ENOTSUP, naming both, for a newer version; EINVAL for a file that is not ours.
  static func prepare(
    _ database: Database, forget: () throws(FileError) -> Void = {}
  ) throws(FileError) {
    guard try isBehind(database) else { return }
    try forget()
    try bringUp(database, from: try version(of: database))
  }

  private static func version(of database: Database) throws(FileError) -> Int64 {
    var version: Int64 = 0
    try database.run("PRAGMA user_version") { version = $0.integer(0) }
    return version
  }

  private static func isBehind(_ database: Database) throws(FileError) -> Bool {
    let version = try version(of: database)
    var application: Int64 = 0
    try database.run("PRAGMA application_id") { application = $0.integer(0) }
    guard version != 0 || application != 0 else { return true }
    guard application == Self.application else {
      throw FileError(.invalidArgument, saying: "store.db is not a strata workspace")
    }
    guard (0...Self.version).contains(version) else {
      throw FileError(
        .notSupported,
        saying:
          "the workspace has format \(version), this strata knows formats up to \(Self.version)")
    }
    return version < Self.version
  }

  /// All steps in one transaction.
  private static func bringUp(_ database: Database, from version: Int64) throws(FileError) {
    try database.transaction { () throws(FileError) in
      for step in steps[Int(version)...] { try database.execute(step) }
      try database.execute("PRAGMA application_id = \(Self.application)")
      try database.execute("PRAGMA user_version = \(Self.version)")
    }
  }
}
