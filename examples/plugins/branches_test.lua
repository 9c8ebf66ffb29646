base{["/docs/readme"] = "hello\n"}

test("round robin takes the branches in turn", function(t)
  t.set("create", "rr")
  for _, name in ipairs {"/1", "/2", "/3"} do t.ok(t.write(name, "x")) end
  t.eq({t.side("/1"), t.side("/2"), t.side("/3")}, {"fast", "big", "fast"})
end)

test("top-down parent follows the directory", function(t)
  t.set("create", "rr")
  t.ok(t.mkdir("/one"))
  t.ok(t.mkdir("/two"))
  t.set("create", "tdp")
  t.ok(t.write("/one/x", "x"))
  t.ok(t.write("/two/x", "x"))
  t.ok(t.write("/docs/x", "x"))
  t.eq({t.side("/one/x"), t.side("/two/x"), t.side("/docs/x")}, {"fast", "big", "fast"})
end)

test("most free space evens the branches out", function(t)
  t.set("create", "mfs")
  t.ok(t.write("/1", ("x"):rep(1000)))
  t.ok(t.write("/2", "x"))
  t.eq({t.side("/1"), t.side("/2")}, {"fast", "big"})
end)

test("an unknown policy refuses", function(t)
  t.set("create", "best")
  t.fails("EINVAL", t.write("/1", "x"))
end)
