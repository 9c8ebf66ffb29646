#!strata-plugin name=resolve api=1
-- Settles conflicts of a merge: lists are joined, of the rest ours is kept.
strata.on("before_merge", {pattern="**/*.list"}, function(ev)
  if not ev.conflict or not ev.ours or not ev.theirs then return end
  local lines, seen = {}, {}
  for _, text in ipairs({ev.ours, ev.theirs}) do
    for line in text:gmatch("[^\n]+") do
      if not seen[line] then
        seen[line] = true
        lines[#lines + 1] = line
      end
    end
  end
  table.sort(lines)
  return strata.merged(table.concat(lines, "\n") .. "\n")
end)
