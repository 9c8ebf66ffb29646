internal import StrataEngine
internal import StrataSystem
internal import SystemPackage

/// A copy of the first page of `store.db`, in `store.head`: SQLite opens nothing of a file whose first
/// page is damaged.
///
/// What the page says of the tables stays as it is while the schema does. What else is in it, the
/// number of pages and the list of free ones, SQLite can do without: it asks for the file's size where
/// the page does not say that its number holds, and free pages that are not listed are only lost room.
struct StoreHead {
  private static let pageSize = 4096
  private static let name = Array("store.head".utf8)
  private static let store = Array("store.db".utf8)
  /// What was found damaged and is not settled by ``settle()`` yet, a line each.
  private static let found = Array("damage".utf8)
  /// A number of pages beyond this is no file's.
  private static let mostPages: Int64 = 1 << 26

  // Where in the page things are, all big-endian: https://www.sqlite.org/fileformat2.html
  private static let changeCounter = 24
  private static let pageCount = 28
  private static let freePages = 32..<40
  /// The change counter for which the number of pages holds.
  private static let validFor = 92
  /// `PRAGMA user_version`, and `PRAGMA application_id`.
  private static let format = 60..<64
  private static let application = 68..<72
  /// What any transaction may change.
  private static let changing = [24..<40, 92..<100]

  private let directory: Descriptor

  init(in directory: Descriptor) { self.directory = directory }

  // MARK: The copy

  /// Makes the copy if there is none. Best effort: without one, a damaged page stays so.
  func make(of database: Database) {
    guard kept() == nil, (try? database.execute("PRAGMA wal_checkpoint(TRUNCATE)")) != nil,
      let page = try? database.firstBytes(Self.pageSize), page.starts(with: "SQLite format 3".utf8)
    else { return }
    try? directory.replace(Self.name, with: page + sum(of: page))
  }

  /// Forgets the copy: to be called before the schema is changed, or where tables begin.
  func forget() throws(FileError) {
    do throws(Errno) {
      try directory.unlink(Self.name)
      try directory.syncEntries()
    } catch .noSuchFileOrDirectory {
      return
    } catch {
      throw FileError(error, "store.head: \(error.description)")
    }
  }

  private func kept() -> [UInt8]? {
    guard let bytes = contents(Self.name, count: Self.pageSize + 8) else { return nil }
    let page = Array(bytes[..<Self.pageSize])
    return sum(of: page).elementsEqual(bytes[Self.pageSize...]) ? page : nil
  }

  private func sum(of page: [UInt8]) -> [UInt8] {
    withUnsafeBytes(of: Checksum.of(page).littleEndian, Array.init)
  }

  // MARK: Mending

  /// Puts the first page back if it is damaged, and makes a file that was cut off as long as it was, so
  /// that nothing new is put where something old is missing. To be called before SQLite opens the file.
  func mend() throws(FileError) {
    guard let head = kept() else { return }
    do throws(Errno) {
      let file: Descriptor
      do throws(Errno) {
        file = try directory.open(entry: Self.store, [.readWrite])
      } catch .noSuchFileOrDirectory {
        return
      }
      try mend(file, head)
    } catch {
      throw FileError(error, "store.db: \(error.description)")
    }
  }

  private func mend(_ file: Descriptor, _ head: [UInt8]) throws(Errno) {
    let size = try file.status().size
    var page = contents(Self.store, count: Self.pageSize) ?? []
    guard !Self.isOfOtherFormat(page, head) else { return }
    if page.count < Self.pageSize || !Self.isSame(page, head) {
      page = head
      Self.distrustCounts(&page)
      page.replaceSubrange(Self.freePages, with: repeatElement(0, count: Self.freePages.count))
      try note("the first page was damaged, and was put back")
      try put(page, file)
    }
    // What SQLite's log has to add is counted by that.
    guard try !hasLog(), Self.number(page, Self.changeCounter) == Self.number(page, Self.validFor)
    else { return }
    let pages = Self.number(page, Self.pageCount)
    let wanted = pages * Int64(Self.pageSize)
    if wanted > size, pages <= Self.mostPages {
      try note("was cut off: it had \(size) bytes of \(wanted)")
      try file.truncate(to: wanted)
      try file.sync()
    } else if wanted != size {
      Self.distrustCounts(&page)
      try note("the first page had a wrong number of pages, \(pages)")
      try put(page, file)
    }
  }

  private func put(_ page: [UInt8], _ file: Descriptor) throws(Errno) {
    try file.write(page, at: 0)
    try file.sync()
  }

  private static func isSame(_ page: [UInt8], _ head: [UInt8]) -> Bool {
    page.indices.allSatisfy { place in
      page[place] == head[place] || changing.contains { $0.contains(place) }
    }
  }

  /// Whether it says that it is of another format: a newer strata has written it, for example.
  private static func isOfOtherFormat(_ page: [UInt8], _ head: [UInt8]) -> Bool {
    page.count == pageSize && page[application] == head[application]
      && page[format] != head[format]
  }

  private static func number(_ page: [UInt8], _ place: Int) -> Int64 {
    page[place..<place + 4].reduce(0) { $0 << 8 | Int64($1) }
  }

  private static func distrustCounts(_ page: inout [UInt8]) {
    page.replaceSubrange(validFor..<validFor + 4, with: [0, 0, 0, 0])
    page.replaceSubrange(changeCounter..<changeCounter + 4, with: [0, 0, 0, 1])
  }

  /// Whether SQLite's log holds anything.
  func hasLog() throws(Errno) -> Bool {
    do throws(Errno) {
      return try directory.status(ofEntry: Array("store.db-wal".utf8)).size > 0
    } catch .noSuchFileOrDirectory {
      return false
    }
  }

  // MARK: What was found

  /// What was mended since ``settle()``.
  var damage: [String] {
    let size = (try? directory.status(ofEntry: Self.found).size) ?? 0
    let bytes = contents(Self.found, count: Int(min(size, 1 << 16))) ?? []
    return bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The database is whole again.
  func settle() throws(FileError) {
    do throws(Errno) { try directory.unlink(Self.found) } catch .noSuchFileOrDirectory {} catch {
      throw FileError(error, "damage: \(error.description)")
    }
  }

  /// Before it is mended: whoever comes after a crash is told as well.
  private func note(_ line: String) throws(Errno) {
    let known = damage
    guard !known.contains(line) else { return }
    try directory.replace(
      Self.found, with: Array((known + [line, ""]).joined(separator: "\n").utf8))
  }

  // MARK: Files

  private func contents(_ name: [UInt8], count: Int) -> [UInt8]? {
    guard let file = try? directory.open(entry: name, [.read]) else { return nil }
    var bytes = [UInt8](repeating: 0, count: count)
    let done = bytes.withUnsafeMutableBytes { try? file.read(into: $0, at: 0) }
    return done == count ? bytes : nil
  }
}
