base{["/etc/hosts"] = "127.0.0.1 localhost\n"}

local function events(log)
  local names = {}
  for name in log:gmatch('"event":"([%w_]+)"') do names[#names + 1] = name end
  return names
end

test("tells of each change on a line of its own", function(t)
  t.ok(t.append("/etc/hosts", "x\n"))
  t.ok(t.rename("/etc/hosts", "/etc/names"))
  t.eq(events(t.read("/audit.jsonl")),
    {"after_copy_up", "after_write", "after_whiteout", "after_rename"})
end)

test("escapes what JSON does not take", function(t)
  t.ok(t.write('/a "b"\n\\', ""))
  t.ok(t.read("/audit.jsonl"):find('"path":"/a \\"b\\"\\n\\\\"', 1, true), "not escaped")
end)

test("is undone with what it tells of", function(t)
  t.ok(t.append("/etc/hosts", "x\n"))
  t.ok(t.undo())
  t.ok(not t.exists("/audit.jsonl"))
end)
