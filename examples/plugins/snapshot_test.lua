base{["/project/a"] = "a\n"}

test("forks before a recursive rm", function(t)
  t.ok(t.command("rm -rf /project"))
  t.eq(t.forks(), {"main", "before-rm-1"})
  t.ok(t.command("rm /project/a -r"))
  t.eq(t.forks(), {"main", "before-rm-1", "before-rm-2"})
end)

test("leaves other commands alone", function(t)
  t.ok(t.command("rm /project/a"))
  t.ok(t.command("ls -r /project"))
  t.eq(t.forks(), {"main"})
end)
