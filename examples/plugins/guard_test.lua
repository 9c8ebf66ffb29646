base{["/usr/bin/tool"] = "tool\n", ["/etc/hosts"] = "127.0.0.1 localhost\n", ["/big"] = ("x"):rep(5000)}

test("refuses every change below /usr", function(t)
  t.fails("EROFS", t.write("/usr/bin/tool", "mine"))
  t.fails("EROFS", t.remove("/usr/bin/tool"))
  t.fails("EROFS", t.mkdir("/usr/new"))
  t.fails("EROFS", t.rename("/usr/bin", "/bin"))
  t.eq(t.diff(), {})
end)

test("copies up what is small enough, and nothing above the limit", function(t)
  t.set("limit", "4K")
  t.ok(t.append("/etc/hosts", "10.0.0.7 build\n"))
  t.eq(t.events(), {"copy_up /etc/hosts"})
  t.fails("EFBIG", t.append("/big", "more"))
  t.eq(t.read("/big"), ("x"):rep(5000))
end)
