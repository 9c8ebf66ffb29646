public import StrataEngine
internal import StrataSystem
internal import SystemPackage

extension HostTree {
  /// Begins a regular file, which appears when ``HostOutput/finish()`` is called.
  ///
  /// With `.replace`, symbolic links at the end of the path are followed and what stands there
  /// decides: a regular file keeps its owner, mode and attributes, and its content until the new
  /// one is complete (other hard links to it keep the old content); a device, a FIFO and what
  /// `/dev/stdout` leads to are written to directly; a directory is EISDIR. Where nothing can be made in the directory, or the owner not
  /// be kept, the file itself is written to.
  /// - Parameters:
  ///   - mode: of a new file, from which the process's umask is taken.
  ///   - durable: whether `finish` waits for the disk.
  public func create(
    _ path: [UInt8], mode: UInt32 = 0o666, existing: Existing = .replace, durable: Bool = true
  ) throws(FileError) -> HostOutput {
    do throws(Errno) {
      if path.last == UInt8(ascii: "/") { throw .isDirectory }
      let typed = try HostLocation(path)
      switch existing {
      case .refuse:
        if try typed.status() != nil { throw .fileExists }
        return try .beside(typed, nil, mode: mode, existing, isDurable: durable)
      case .replace:
        let (place, isOpenFile) = try typed.followed()
        if isOpenFile { return try .into(openFile: place) }
        return try .over(place, try place.status(), mode: mode, isDurable: durable)
      }
    } catch {
      throw FileError(error)
    }
  }

  /// Makes a directory; with `.replace`, one that is there already will do.
  /// - Parameter mode: from which the process's umask is taken.
  public func makeDirectory(
    _ path: [UInt8], mode: UInt32 = 0o777, existing: Existing = .refuse
  ) throws(FileError) {
    do throws(Errno) {
      let place = try HostLocation(path)
      do throws(Errno) {
        try place.directory.makeDirectory(place.name, mode: mode & 0o7777)
      } catch .fileExists {
        guard existing == .replace, let status = try place.status() else { throw .fileExists }
        guard FileKind(modeBits: status.mode) == .directory else { throw .notDirectory }
      }
    } catch {
      throw FileError(error)
    }
  }

  /// - Returns: the attributes that the host would not take; see ``setAttributes(_:_:follow:)``.
  @discardableResult
  public func makeSymlink(
    _ path: [UInt8], target: [UInt8], _ attributes: HostAttributes = HostAttributes(),
    existing: Existing = .refuse
  ) throws(FileError) -> [FileError] {
    try make(path, attributes, existing) { place, name throws(Errno) in
      try place.directory.makeSymlink(name, target: target)
    }
  }

  /// Makes a device, FIFO or socket.
  /// - Parameters:
  ///   - device: number of a device, as `makedev` gives it.
  ///   - mode: from which the process's umask is taken.
  /// - Returns: the attributes that the host would not take.
  @discardableResult
  public func makeSpecial(
    _ path: [UInt8], _ kind: FileKind, device: UInt64 = 0, mode: UInt32 = 0o666,
    _ attributes: HostAttributes = HostAttributes(), existing: Existing = .refuse
  ) throws(FileError) -> [FileError] {
    switch kind {
    case .characterDevice, .blockDevice, .fifo, .socket: break
    case .regular, .directory, .symlink: throw .invalid
    }
    return try make(path, attributes, existing) { place, name throws(Errno) in
      try place.directory.makeNode(name, mode: kind.modeBits | mode & 0o7777, device: device)
    }
  }

  private func make(
    _ path: [UInt8], _ attributes: HostAttributes, _ existing: Existing,
    _ body: (HostLocation, [UInt8]) throws(Errno) -> Void
  ) throws(FileError) -> [FileError] {
    let place: HostLocation
    do throws(Errno) { place = try HostLocation(path) } catch { throw FileError(error) }
    var refused: [FileError] = []
    try place.make(existing) { temporary throws(FileError) in
      let object: Descriptor
      do throws(Errno) {
        try body(place, temporary)
        object = try place.directory.open(entry: temporary, [.path])
      } catch {
        throw FileError(error)
      }
      refused = try attributes.apply(to: object)
    }
    return refused
  }

  /// Gives what is at a path another one, on the same file system.
  /// - Throws: EEXIST.
  public func move(_ path: [UInt8], to other: [UInt8]) throws(FileError) {
    do throws(Errno) {
      let (from, to) = (try HostLocation(path), try HostLocation(other))
      try from.directory.move(from.name, to: to.directory, to.name)
    } catch {
      throw FileError(error)
    }
  }

  /// Lets what is at two paths on one file system change places, in one step.
  public func exchange(_ path: [UInt8], with other: [UInt8]) throws(FileError) {
    do throws(Errno) {
      let (one, two) = (try HostLocation(path), try HostLocation(other))
      try one.directory.exchange(one.name, with: two.directory, two.name)
    } catch {
      throw FileError(error)
    }
  }

  /// Makes another name for what is at a path; for a symbolic link, of the link itself.
  public func link(_ path: [UInt8], as other: [UInt8]) throws(FileError) {
    do throws(Errno) {
      let (from, to) = (try HostLocation(path), try HostLocation(other))
      try to.directory.link(from.name, in: from.directory, as: to.name)
    } catch {
      throw FileError(error)
    }
  }

  /// Sets attributes of what is there already: of a directory, when all that is in it was copied.
  ///
  /// Set-id bits are not given to a file whose owner could not be set.
  /// - Returns: what the host would not take (EPERM, ENOTSUP …), the reason naming the attribute.
  /// - Throws: ENOENT, and errors that are not a refusal of the attribute.
  @discardableResult
  public func setAttributes(
    _ path: [UInt8], _ attributes: HostAttributes, follow: Bool = false
  ) throws(FileError) -> [FileError] {
    let object: Descriptor
    do throws(Errno) { object = try find(path, follow: follow) } catch { throw FileError(error) }
    return try attributes.apply(to: object)
  }

  /// Removes a name; a directory must be empty.
  public func remove(_ path: [UInt8]) throws(FileError) {
    do throws(Errno) {
      let place = try HostLocation(path)
      do throws(Errno) { try place.directory.unlink(place.name) } catch .isDirectory {
        try place.directory.removeDirectory(place.name)
      }
    } catch {
      throw FileError(error)
    }
  }
}
