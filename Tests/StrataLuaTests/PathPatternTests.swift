import Testing

@testable import StrataLua

@Suite struct PathPatternTests {
  @Test(arguments: [
    ("/etc/**", "/etc", true), ("/etc/**", "/etc/hosts", true), ("/etc/**", "/etc/a/b", true),
    ("/etc/**", "/etcetera", false), ("/etc/**", "/", false), ("/etc", "/etc", true),
    ("/etc", "/etc/x", false), ("/etc/*", "/etc/x", true), ("/etc/*", "/etc/x/y", false),
    ("/etc/*", "/etc/", true), ("*.o", "/a.o", true), ("*.o", "/src/deep/a.o", true),
    ("*.o", "/a.obj", false), ("**/x/**", "/x", true), ("**/x/**", "/a/x/b/c", true),
    ("**/x/**", "/a/xx/b", false), ("/a/**/z", "/a/z", true), ("/a/**/z", "/a/b/c/z", true),
    ("/a/**/z", "/a/bz", false), ("/a?c", "/abc", true), ("/a?c", "/a/c", false),
    ("/[a-c]x", "/bx", true), ("/[a-c]x", "/dx", false), ("/[!a-c]x", "/dx", true),
    ("/[]]", "/]", true), ("/[a-]", "/-", true), ("/\\*", "/*", true), ("/\\*", "/x", false),
    ("/**", "/", true), ("/**", "/a/b", true), ("/a*b*c", "/aXbYc", true),
    ("/a*b*c", "/aXbY", false), ("node_modules/**", "/a/node_modules/x", true),
  ]) func `a pattern matches what it says`(_ pattern: String, _ path: String, _ isMatch: Bool) {
    #expect(PathPattern(pattern).matches(Array(path.utf8)) == isMatch)
  }

  @Test func `bytes that are no text match like others`() {
    #expect(PathPattern("/x/?").matches(Array("/x/".utf8) + [0xFF]))
    #expect(PathPattern("/x/*").matches(Array("/x/".utf8) + [0xFF, 0xFE, 10]))
  }
}
