#!strata-plugin name=guard api=1
-- Refuses writes by path and by size: what is below /usr never changes, and nothing large is
-- copied up whole.
strata.setting("limit", 64 * 1024 * 1024, "bytes; larger files are not copied up")

strata.policy("read-only", {rules = {
  {match = "/usr/**", write = "deny", errno = "EROFS", reason = "the system is read-only"},
}})

strata.on("before_copy_up", {priority = 50}, function(ev)
  if ev.size > strata.setting("limit") then
    return strata.deny("EFBIG", "too large to copy up")
  end
end)
