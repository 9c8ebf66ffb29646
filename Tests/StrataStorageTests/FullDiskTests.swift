import Glibc
import StrataEngine
import StrataStorage
import StrataTestSupport
import Testing

/// A workspace on a file system that somebody else has filled to the last block.
@Suite(.enabled(if: geteuid() == 0, "mounting a file system takes root")) struct FullDiskTests {
  // Taken away first.
  private let mount: Mount
  private let directory: TemporaryDirectory

  init() throws {
    directory = try TemporaryDirectory("strata-full")
    mount = try Mount("tmpfs", "tmpfs", "size=80m", on: directory.path)
    try directory.makeDirectory("store", mode: 0o700)
  }

  private func open() throws -> Workspace {
    try Workspace(
      bases: [TableBase("base", device: 1, [])],
      store: try DurableStore(directory: directory.bytes("store"))
    ) { 1_000_000_000 }
  }

  private func write(_ name: String, _ count: Int, in workspace: Workspace) throws {
    try? workspace.operation("write \(name)", on: workspace.main) { () throws(FileError) in
      let file = try Client(workspace.main, as: .superuser).open(
        Array("/\(name)".utf8), [.write], create: 0o644)
      _ = try file.write([UInt8](repeating: 0x61, count: count), at: 0)
    }
    if let failure = workspace.takeFailure(of: workspace.main) { throw failure }
    try workspace.checkpoint()
  }

  /// Takes all the room that is left.
  private func fill() throws {
    let file = Glibc.open(
      directory.appending("filler"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    #expect(file >= 0)
    defer { close(file) }
    for size in [1 << 20, 4096] {
      let bytes = [UInt8](repeating: 0x66, count: size)
      while Glibc.write(file, bytes, size) > 0 {}
    }
    #expect(errno == ENOSPC)
  }

  @Test(arguments: [10_000, 40_000, 2 << 20])
  func `What a program wrote on a full disk is kept once there is room`(count: Int) throws {
    let content = [UInt8](repeating: 0x61, count: count)
    do {
      let workspace = try open()
      let main = workspace.main
      try workspace.checkpoint()
      let holder = Holder()
      main.add(holder)
      try fill()
      try workspace.operation("run", on: main) { () throws(FileError) in
        let client = Client(main, as: .superuser)
        for name in ["/big", "/other"] {
          try write(content, to: client.open(Array(name.utf8), [.write], create: 0o644))
        }
      }
      #expect(throws: FileError.self) { try workspace.checkpoint() }
      // The program goes on in what it has written.
      _ = try Client(main, as: .superuser).open(Array("/big".utf8), [.write]).write([1], at: 0)
      #expect(throws: FileError.self) { try workspace.checkpoint() }
      main.remove(holder)
      #expect(throws: FileError.self) { try write("refused", 100, in: workspace) }
      try directory.remove("filler")
      try write("after", 100, in: workspace)
      #expect(try workspace.check().problems == [])
    }
    let workspace = try open()
    let client = Client(workspace.main, as: .superuser)
    #expect(try client.read(Array("/big".utf8)) == [1] + content.dropFirst())
    try workspace.undo(workspace.main)
    #expect(try client.read(Array("/other".utf8)) == content)
    #expect(workspace.main.history.first?.command == "run")
  }

  /// In pieces that are kept in memory.
  private func write(_ content: [UInt8], to file: OpenFile) throws(FileError) {
    for start in stride(from: 0, to: content.count, by: 40_000) {
      let piece = Array(content[start..<min(start + 40_000, content.count)])
      _ = try file.write(piece, at: Int64(start))
    }
  }

  @Test(arguments: [10_000, 100_000, 2 << 20])
  func `What was undone because it could not be saved does not hold up what follows`(
    count: Int
  ) throws {
    do {
      let workspace = try open()
      let main = workspace.main
      try write("before", 100, in: workspace)
      let holder = Holder()
      main.add(holder)
      try fill()
      try workspace.operation("run", on: main) { () throws(FileError) in
        // Small writes are taken in any case.
        let file = try Client(main, as: .superuser).open(
          Array("/big".utf8), [.write], create: 0o644)
        for start in stride(from: 0, to: count, by: 5000) {
          _ = try file.write([UInt8](repeating: 0x61, count: 5000), at: Int64(start))
        }
      }
      main.remove(holder)
      #expect(throws: FileError.self) { try workspace.checkpoint() }
      try workspace.undo(main)
      // There is room that is kept for that.
      try workspace.checkpoint()
      try directory.remove("filler")
      try write("after", 100, in: workspace)
      #expect(try workspace.check().problems == [])
    }
    let workspace = try open()
    #expect(workspace.main.history.map(\.command) == ["write before", "write after"])
    let entries = try Client(workspace.main, as: .superuser).list(Array("/".utf8))
    #expect(Set(entries.map { "\($0.name)" }) == ["before", "after"])
  }

  @Test func `A large write that there is no room for is refused, and leaves the file as it was`()
    throws
  {
    do { try refuseLargeWrites() }
    let workspace = try open()
    #expect(workspace.main.history.map(\.command) == ["write before", "write small"])
    #expect(try workspace.check().problems == [])
  }

  private func refuseLargeWrites() throws {
    let workspace = try open()
    let main = workspace.main
    try write("before", 10, in: workspace)
    let holder = Holder()
    main.add(holder)
    let client = Client(main, as: .superuser)
    try workspace.operation("run", on: main) { () in
      let file = try client.open(Array("/file".utf8), [.write], create: 0o644)
      _ = try file.write([UInt8](repeating: 0x61, count: 1 << 20), at: 0)
      try fill()
      let content = try client.read(Array("/file".utf8))
      for offset in [0, 100, 512 << 10, 1 << 20] {
        #expect(throws: FileError(.noSpace, "data/2/3: No space left on device")) {
          _ = try file.write([UInt8](repeating: 0x62, count: 4 << 20), at: Int64(offset))
        }
        #expect(try client.read(Array("/file".utf8)) == content)
      }
    }
    main.remove(holder)
    // A command is done as a whole, or not at all.
    #expect(throws: FileError.self) { try write("large", 1 << 20, in: workspace) }
    #expect(try client.list(Array("/".utf8)).count == 2)
    try workspace.undo(main)
    try workspace.checkpoint()
    try write("small", 10, in: workspace)
  }

  @Test(arguments: [3000, 40_000], [true, false])
  func `What was undone and cannot be kept is given up`(size: Int, isSynced: Bool) throws {
    do {
      let workspace = try open()
      let main = workspace.main
      try write("first", 20_000, in: workspace)
      let holder = Holder()
      main.add(holder)
      try workspace.operation("run", on: main) { () throws(FileError) in
        let client = Client(main, as: .superuser)
        for number in 0..<(16 << 20) / size {
          _ = try client.open(Array("/f\(number)".utf8), [.write], create: 0o644)
            .write([UInt8](repeating: 0x62, count: size), at: 0)
          guard number == 10 else { continue }
          // As a program has it done.
          if isSynced { try workspace.checkpoint() }
          do { try fill() } catch { throw FileError(.ioError, "\(error)") }
        }
        #expect(throws: FileError.self) { try workspace.checkpoint() }
      }
      main.remove(holder)
      #expect(throws: FileError.self) { try workspace.checkpoint() }
      // It may be done, and is not saved.
      #expect(throws: FileError.self) { try write("unsaved", 10, in: workspace) }
      while main.operationCount > 1 { try workspace.undo(main) }
      try workspace.checkpoint()
      if isSynced {
        try workspace.redo(main)
        #expect(try Client(main, as: .superuser).list(Array("/".utf8)).count == 12)
      } else {
        let reason = "what was undone is gone: there was no room to save it"
        #expect(throws: FileError(.noSuchFileOrDirectory, saying: reason)) {
          try workspace.redo(main)
        }
      }
      try write("later", 20, in: workspace)
      // What was written of it takes no room any more.
      let garbage = try workspace.collectGarbage(olderThan: 0, dryRun: true).garbage
      #expect(garbage.fileBytes < 100_000)
    }
    let workspace = try open()
    let commands = ["write first"] + (isSynced ? ["run"] : []) + ["write later"]
    #expect(workspace.main.history.map(\.command) == commands)
    #expect(try workspace.check().problems == [])
  }

  private final class Holder: NodeHolder {
    var operation: String? { "run" }
    let isLogged = true
    func holds(_ node: NodeID) -> Bool { false }
    func writeBack() {}
    func changed(from old: Namespace, to new: Namespace) {}
    func shares(_ isShared: Bool) {}
    func contentChanged(_ node: NodeID) {}
  }

  @Test func `Undo is kept, and gc makes room`() throws {
    do {
      let workspace = try open()
      try write("keep", 20_000, in: workspace)
      try write("large", 12 << 20, in: workspace)
      try workspace.operation("many", on: workspace.main) { () throws(FileError) in
        let client = Client(workspace.main, as: .superuser)
        for number in 0..<2000 {
          _ = try client.open(Array("/f\(number)".utf8), [.write], create: 0o644)
            .write([UInt8](repeating: 0x62, count: 3000), at: 0)
        }
      }
      try workspace.checkpoint()
      try fill()
      #expect(throws: FileError.self) { try write("more", 100_000, in: workspace) }
      try workspace.undo(workspace.main)
      try workspace.checkpoint()
      try workspace.undo(workspace.main)
      try workspace.checkpoint()
    }
    let workspace = try open()
    #expect(workspace.main.history.map(\.command) == ["write keep"])
    let collected = try workspace.collectGarbage(olderThan: .max, dryRun: false)
    #expect(collected.garbage.fileBytes > 11 << 20)
    #expect(collected.garbage.records.count > 2000)
    #expect(try workspace.check().problems == [])
    try write("more", 4 << 20, in: workspace)
    #expect(try workspace.check().problems == [])
    // The room for the next time is there again.
    #expect(try directory.status("store/reserve").st_blocks == 8192)
  }

  @Test(arguments: [2 << 20, 14 << 20])
  func `A squash that there is no room for changes nothing`(room: Int) throws {
    do {
      let workspace = try open()
      for _ in 0..<2 { try write("large", 12 << 20, in: workspace) }
      try fill()
      Glibc.truncate(directory.appending("filler"), try directory.status("filler").st_size - room)
      #expect(throws: FileError.self) { try workspace.squash(workspace.main) }
      try workspace.checkpoint()
      #expect(workspace.main.history.count == 2)
      try write("small", 10, in: workspace)
      #expect(try workspace.check().problems == [])
      try workspace.undo(workspace.main)
      try workspace.checkpoint()
      try directory.remove("filler")
      _ = try workspace.squash(workspace.main)
      #expect(try workspace.check().problems == [])
    }
    let workspace = try open()
    #expect(workspace.main.history.isEmpty)
    let content = try Client(workspace.main, as: .superuser).read(Array("/large".utf8))
    #expect(content == [UInt8](repeating: 0x61, count: 12 << 20))
  }

  @Test func `What is there can be opened, checked and read`() throws {
    try write("keep", 20_000, in: try open())
    // As a process that was killed has left it.
    try directory.makeDirectory("killed", mode: 0o700)
    do {
      let workspace = try open()
      try write("last", 20_000, in: workspace)
      let copy = try ChildProcess(["sh", "-c", "cd \(directory.path); cp -a store/. killed; sync"])
      #expect(copy.status == 0)
      _ = try ChildProcess(["sh", "-c", "cd \(directory.path); rm -f killed/reserve"])
    }
    try fill()
    let store = try DurableStore(directory: directory.bytes("killed"))
    let workspace = try Workspace(bases: [TableBase("base", device: 1, [])], store: store) { 1 }
    #expect(try workspace.check().problems == [])
    #expect(
      try Client(workspace.main, as: .superuser).attributes(Array("/last".utf8)).size == 20_000)
  }

  @Test func `gc makes room for what cannot be kept otherwise`() throws {
    let workspace = try open()
    try write("large", 12 << 20, in: workspace)
    try workspace.undo(workspace.main)
    try write("small", 10, in: workspace)
    _ = try workspace.collectGarbage(olderThan: .max, dryRun: false)
    try write("large", 12 << 20, in: workspace)
    let fork = try workspace.fork(workspace.main, named: "other")
    try workspace.checkpoint()
    try workspace.drop(fork)
    try fill()
    // In memory, and too much for the log.
    #expect(throws: FileError.self) {
      try workspace.operation("many", on: workspace.main) { () throws(FileError) in
        let client = Client(workspace.main, as: .superuser)
        for number in 0..<4000 {
          _ = try client.open(Array("/f\(number)".utf8), [.write], create: 0o644)
            .write([UInt8](repeating: 0x62, count: 3000), at: 0)
        }
      }
      try workspace.checkpoint()
    }
    unlink(directory.appending("filler"))
    _ = try workspace.collectGarbage(olderThan: .max, dryRun: false)
    #expect(try workspace.check().problems == [])
    #expect(
      try Client(workspace.main, as: .superuser).attributes(Array("/f3999".utf8)).size == 3000)
  }
}
