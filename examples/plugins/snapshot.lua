#!strata-plugin name=snapshot api=1
-- Forks before anything recursive is removed, so that there is a way back even after an undo.
strata.on("before_command", function(ev)
  local line = ev.command or ""
  if line:match("^%s*rm%s+%-%a*[rR]") or line:match("^%s*rm%s.*%s%-%a*[rR]") then
    strata.store.count = (strata.store.count or 0) + 1
    local name = strata.fork("before-rm-" .. strata.store.count)
    if name then strata.notify("kept fork " .. name) end
  end
end)
