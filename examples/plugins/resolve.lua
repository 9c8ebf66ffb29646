#!strata-plugin name=resolve api=1
-- Settles conflicts between lists, one entry a line: what either side has added is there, what
-- either side has removed is not. All else is left to whoever merges.
local function lines(text)
  local set = {}
  for line in (text or ""):gmatch("[^\n]+") do set[line] = true end
  return set
end

strata.on("before_merge", {pattern = "**/*.list"}, function(ev)
  if ev.conflict ~= "both changed" or not ev.ours or not ev.theirs then return end
  local base, ours, theirs = lines(ev.base), lines(ev.ours), lines(ev.theirs)
  local all = {}
  for line in pairs(ours) do
    if theirs[line] or not base[line] then all[#all + 1] = line end
  end
  for line in pairs(theirs) do
    if not ours[line] and not base[line] then all[#all + 1] = line end
  end
  table.sort(all)
  return strata.merged(table.concat(all, "\n") .. "\n")
end)
