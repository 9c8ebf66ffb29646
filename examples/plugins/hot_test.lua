base{["/a"] = "a"}

test("lists the most written files first", function(t)
  t.ok(t.write("/a", "123"))
  t.ok(t.write("/b", "12345"))
  local status, output = t.run("hot")
  t.eq(status, 0)
  t.eq(output, "       5  /b\n       3  /a\n")
  local _, first = t.run("hot", "1")
  t.eq(first, "       5  /b\n")
end)

test("forgets what is undone, and takes numbers only", function(t)
  t.ok(t.write("/a", "123"))
  t.ok(t.undo())
  local status, output = t.run("hot")
  t.eq({status, output}, {0, ""})
  t.eq((t.run("hot", "many")), 64)
end)
