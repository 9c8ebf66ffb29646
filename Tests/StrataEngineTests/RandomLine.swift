import NaiveModel
import StrataEngine
import StrataTestSupport
import SystemPackage

/// A fork and the model of it, which must never differ.
final class RandomLine {
  private(set) var fork: Fork
  var engine: ClientUnderTest
  var model: ModelUnderTest
  /// The log as the model keeps it: whole trees before and after.
  var done: [(before: ModelTree, after: ModelTree)] = []
  var undone: [(before: ModelTree, after: ModelTree)] = []
  /// An earlier moment, to compare with later.
  var earlier: (value: Namespace, tree: ModelTree)
  /// A listing that goes on while the directory changes.
  var listing: RandomListing?

  init(_ fork: Fork, _ tree: ModelTree) {
    self.fork = fork
    engine = ClientUnderTest(fork)
    model = ModelUnderTest(tree)
    earlier = (fork.value, tree)
  }

  /// Goes on in the same fork of a workspace that was opened again.
  func move(to fork: Fork) throws {
    self.fork = fork
    engine = ClientUnderTest(fork)
    earlier = (fork.value, model.tree)
    listing = nil
    guard fork.undone.count == undone.count else {
      throw Mismatch("\(undone.count) operations could be done again, \(fork.undone.count) can")
    }
  }
}

/// What is wrong, and with which operation.
struct Mismatch: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// A listing in small portions between which entries come and go: what is there all the time must
/// be listed exactly once, and nothing twice that was not made anew.
struct RandomListing {
  let directory: NodeID
  let number: Int
  private var cookie: UInt64 = 0
  private var seen: [Name: Int] = [:]
  private var always: Set<Name>
  private var ever: Set<Name>

  init(_ directory: NodeID, number: Int, names: Set<Name>) {
    self.directory = directory
    self.number = number
    always = names
    ever = names
  }

  /// Takes note of the names after an operation.
  mutating func note(_ names: Set<Name>) {
    always.formIntersection(names)
    ever.formUnion(names)
  }

  /// Lists some more.
  /// - Returns: whether the end is reached.
  mutating func advance(_ fork: Fork, limit: Int) throws -> Bool {
    let rows = try fork.list(directory, after: cookie, limit: limit)
    for row in rows {
      guard row.cookie >= cookie else { throw Mismatch("a cookie went back in a listing") }
      cookie = row.cookie
      if row.name.isDot || row.name.isDotDot { continue }
      seen[row.name, default: 0] += 1
    }
    guard rows.count < limit else { return false }
    for name in always where seen[name] != 1 {
      throw Mismatch("\(name) was there all the time and was listed \(seen[name] ?? 0) times")
    }
    for (name, count) in seen where count > 1 || !ever.contains(name) {
      throw Mismatch("\(name) was listed \(count) times, there: \(ever.contains(name))")
    }
    return true
  }
}
