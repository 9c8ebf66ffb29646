#!strata-plugin name=hot api=1
-- Adds a command that lists the most written files.
strata.on("after_write", function(ev)
  local written = strata.store.written or {}
  written[ev.path] = (written[ev.path] or 0) + (ev.bytes or 0)
  strata.store.written = written
end)

strata.command("hot", {summary = "list the most written files", usage = "hot [N]", run = function(ctx)
  local most = tonumber(ctx.args[1] or "10")
  if not most then
    print("hot: " .. ctx.args[1] .. ": not a number")
    return 64
  end
  local rows = {}
  for path, bytes in pairs(strata.store.written or {}) do rows[#rows + 1] = {path, bytes} end
  table.sort(rows, function(a, b) return a[2] > b[2] or a[2] == b[2] and a[1] < b[1] end)
  for index = 1, math.min(most, #rows) do
    print(string.format("%8d  %s", rows[index][2], rows[index][1]))
  end
  return 0
end})
