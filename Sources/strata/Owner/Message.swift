internal import StrataEngine
internal import StrataShell

/// A message of JSON-RPC 2.0. Batches are not taken.
enum Message {
  /// A request; a notification, which nobody answers, has no id.
  case request(id: JSON?, method: String, params: JSON)
  case response(id: Int64, Result<JSON, RemoteError>)
  /// What is neither, with what is to be answered.
  case invalid(id: JSON, RemoteError)

  init(_ line: [UInt8]) {
    let value: JSON
    do throws(JSON.SyntaxError) {
      value = try JSON(parsing: line)
    } catch {
      let text = "no JSON at byte \(error.offset): \(error.message)"
      self = .invalid(id: .null, RemoteError(.parse, text))
      return
    }
    guard value["jsonrpc"] == .string("2.0") else {
      self = .invalid(id: .null, RemoteError(.invalidRequest, "no JSON-RPC 2.0"))
      return
    }
    let id = value["id"]
    switch id {
    case nil, .string, .integer, .null: break
    default:
      self = .invalid(id: .null, RemoteError(.invalidRequest, "an id is a string or a number"))
      return
    }
    if let method = value["method"] {
      let params = value["params"] ?? .object([])
      guard let name = method.stringValue, case .object = params else {
        let text = "method is a string, params an object"
        self = .invalid(id: id ?? .null, RemoteError(.invalidRequest, text))
        return
      }
      self = .request(id: id, method: name, params: params)
    } else if let number = id?.integerValue, let result = value["result"] {
      self = .response(id: number, .success(result))
    } else if let number = id?.integerValue, let error = value["error"] {
      self = .response(id: number, .failure(RemoteError(error)))
    } else if let error = value["error"] {
      // Of something that had no id, or is no request at all.
      self = .invalid(id: .null, RemoteError(error))
    } else {
      self = .invalid(id: id ?? .null, RemoteError(.invalidRequest, "no method"))
    }
  }

  static func request(_ method: String, _ params: JSON, id: Int64? = nil) -> JSON {
    let id = id.map { [JSON.Member("id", .integer($0))] } ?? []
    return .object(
      [JSON.Member("jsonrpc", .string("2.0"))] + id
        + [JSON.Member("method", .string(method)), JSON.Member("params", params)])
  }

  static func answer(_ id: JSON, _ result: Result<JSON, RemoteError>) -> JSON {
    let outcome =
      switch result {
      case .success(let value): JSON.Member("result", value)
      case .failure(let error): JSON.Member("error", error.json)
      }
    return .object([JSON.Member("jsonrpc", .string("2.0")), JSON.Member("id", id), outcome])
  }
}

/// Why a request was not done.
struct RemoteError: Error, Equatable {
  enum Code: Int64 {
    case parse = -32700
    case invalidRequest = -32600
    case unknownMethod = -32601
    case invalidParams = -32602
    /// Who asks may not.
    case refused = -32001
    /// What was asked for failed; the errno is with it.
    case failed = -32002
  }

  var code: Int64
  var message: String
  var errno: Int64?

  init(_ code: Code, _ message: String) { (self.code, self.message) = (code.rawValue, message) }

  init(_ error: FileError) {
    self.init(.failed, error.text)
    errno = Int64(error.errno.rawValue)
  }

  fileprivate init(_ json: JSON) {
    code = json["code"]?.integerValue ?? 0
    message = json["message"]?.stringValue ?? "no reason given"
    errno = json["data"]?["errno"]?.integerValue
  }

  fileprivate var json: JSON {
    let data = errno.map {
      [JSON.Member("data", .object([JSON.Member("errno", .integer($0))]))]
    }
    return .object(
      [JSON.Member("code", .integer(code)), JSON.Member("message", .string(message))]
        + (data ?? []))
  }
}
