internal import StrataEngine

/// What of a row is one column of bytes, see ``PageWriter``.
extension LayerStats {
  var encoded: [UInt8] {
    var writer = PageWriter()
    for value in [created, copyUps, redirects, metadataCopies, whiteouts, opaques] {
      writer.signed(Int64(value))
    }
    writer.signed(bytesWritten)
    writer.signed(bytesCopied)
    return writer.result
  }

  init(encoded bytes: [UInt8]) throws(FileError) {
    var reader = PageReader(bytes)
    self.init()
    created = Int(try reader.signed())
    copyUps = Int(try reader.signed())
    redirects = Int(try reader.signed())
    metadataCopies = Int(try reader.signed())
    whiteouts = Int(try reader.signed())
    opaques = Int(try reader.signed())
    bytesWritten = try reader.signed()
    bytesCopied = try reader.signed()
  }
}

extension StoredLayer {
  /// Nothing at all for none, as for most.
  var encodedSources: [UInt8] {
    guard !sources.isEmpty else { return [] }
    var writer = PageWriter()
    writer.number(UInt64(sources.count))
    for source in sources {
      writer.number(source.layer.rawValue)
      writer.bytes(source.value?.encoded ?? [])
    }
    return writer.result
  }

  static func sources(encoded bytes: [UInt8]) throws(FileError) -> [Source] {
    guard !bytes.isEmpty else { return [] }
    var reader = PageReader(bytes)
    var found: [Source] = []
    for _ in 0..<(try reader.count()) {
      let layer = LayerID(try reader.number())
      let value = try reader.bytes()
      found.append(
        Source(layer: layer, value: value.isEmpty ? nil : try StoredTree(encoded: value)))
    }
    return found
  }
}

extension StoredBaseNode {
  var encoded: [UInt8] {
    var writer = PageWriter()
    writer.number(parent.rawValue)
    writer.bytes(name.bytes)
    status.write(to: &writer)
    writer.number(UInt64(places.count))
    for place in places {
      writer.number(UInt64(place.base))
      writer.bytes(place.path)
      place.stamp.write(to: &writer)
    }
    writer.number(UInt64(kept.count))
    for kept in kept { kept.write(to: &writer) }
    let content = writer.result
    writer.number(Self.checksum(content[...], id))
    return writer.result
  }

  private static func checksum(_ content: ArraySlice<UInt8>, _ id: NodeID) -> UInt64 {
    content.withUnsafeBytes { Checksum.of($0, from: id.rawValue) }
  }

  /// - Throws: EIO for what does not have the checksum behind it. An older strata has written none.
  init(encoded bytes: [UInt8], id: NodeID) throws(FileError) {
    var reader = PageReader(bytes)
    let parent = NodeID(try reader.number())
    let name = Name(try reader.bytes())
    let status = try BaseStatus(from: &reader)
    var places: [Place] = []
    for _ in 0..<(try reader.count()) {
      places.append(
        Place(
          base: try reader.number(as: Int.self), path: try reader.bytes(),
          stamp: try BaseStamp(from: &reader)))
    }
    guard !places.isEmpty else { throw .damaged }
    var kept: [KeptNode] = []
    for _ in 0..<(try reader.count()) { kept.append(try KeptNode(from: &reader)) }
    if !reader.isAtEnd {
      let content = bytes[..<reader.offset]
      guard try reader.number() == Self.checksum(content, id), reader.isAtEnd else {
        throw FileError(.ioError, "has a wrong checksum")
      }
    }
    self.init(id: id, parent: parent, name: name, status: status, places: places, kept: kept)
  }
}
