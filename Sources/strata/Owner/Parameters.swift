internal import StrataShell

/// The parameters of a request, of the types that they must have.
struct Parameters {
  private let json: JSON

  init(_ json: JSON) { self.json = json }

  subscript(_ name: String) -> JSON? { json[name] }

  func bytes(_ name: String) throws(RemoteError) -> [UInt8] {
    guard let value = try optionalBytes(name) else {
      throw RemoteError(.invalidParams, "\(name) is missing")
    }
    return value
  }

  func optionalBytes(_ name: String) throws(RemoteError) -> [UInt8]? {
    try optional(name, "a string or {\"b64\"}", \.bytesValue)
  }

  func optionalString(_ name: String) throws(RemoteError) -> String? {
    try optional(name, "a string", \.stringValue)
  }

  func optionalInteger(_ name: String) throws(RemoteError) -> Int64? {
    try optional(name, "a whole number", \.integerValue)
  }

  func optionalBool(_ name: String) throws(RemoteError) -> Bool? {
    try optional(name, "true or false", \.boolValue)
  }

  /// Strings, each as in ``optionalBytes(_:)``.
  func optionalList(_ name: String) throws(RemoteError) -> [[UInt8]]? {
    try optional(name, "an array of strings") { value in
      guard let elements = value.elements else { return nil }
      let strings = elements.compactMap(\.bytesValue)
      return strings.count == elements.count ? strings : nil
    }
  }

  private func optional<T>(
    _ name: String, _ type: String, _ convert: (JSON) -> T?
  ) throws(RemoteError) -> T? {
    guard let value = json[name], value != .null else { return nil }
    guard let converted = convert(value) else {
      throw RemoteError(.invalidParams, "\(name) is to be \(type)")
    }
    return converted
  }
}
