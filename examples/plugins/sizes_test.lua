base{["/small"] = ("s"):rep(100), ["/large"] = ("l"):rep(10000)}

test("copies small files up and redirects large ones", function(t)
  t.set("threshold", 1000)
  t.ok(t.append("/small", "x"))
  t.ok(t.append("/large", "x"))
  t.eq(t.events(), {"copy_up /small", "redirect /large"})
end)

test("the threshold is 64 KiB unless set", function(t)
  t.ok(t.append("/large", "x"))
  t.eq(t.events(), {"copy_up /large"})
end)
