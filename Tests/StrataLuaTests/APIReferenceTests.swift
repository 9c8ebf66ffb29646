import Glibc
import StrataLua
import Testing

/// The committed reference is the one that the functions make; `STRATA_BLESS=1` writes it anew.
@Suite struct APIReferenceTests {
  static let root = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()

  @Test(arguments: [
    ("docs/plugins.md", APIReference.markdown()), ("docs/strata.d.lua", APIReference.luaLS()),
  ]) func `the reference is up to date`(_ file: String, _ text: String) throws {
    let path = "\(Self.root)/\(file)"
    if getenv("STRATA_BLESS") != nil {
      let stream = try #require(fopen(path, "w"))
      fputs(text, stream)
      fclose(stream)
    }
    let stream = try #require(fopen(path, "r"), "\(path) is missing")
    defer { fclose(stream) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = fread(&bytes, 1, bytes.count, stream)
    #expect(String(decoding: bytes.prefix(count), as: UTF8.self) == text)
  }
}
