#!strata-plugin name=branches api=1
-- AUFS's create policies over several writable branches, here side layers:
--   tdp  top-down parent: the topmost branch that the parent directory lives in
--   mfs  most free space
--   rr   round robin
strata.setting("create", "tdp", "tdp, mfs or rr")
strata.setting("branches", "fast big", "names of the branches, topmost first")

local function branches()
  local names = {}
  for name in strata.setting("branches"):gmatch("%S+") do
    strata.layer_add(name)
    names[#names + 1] = name
  end
  return names
end

local function sides()
  local byName = {}
  for _, layer in ipairs(strata.layers()) do
    if layer.kind == "side" then byName[layer.name] = layer end
  end
  return byName
end

local choose = {}

function choose.tdp(names, ev)
  local homes = strata.store.homes or {}
  local parent = ev.path:match("^(.*)/[^/]*$")
  while parent ~= "" do
    if homes[parent] then return homes[parent] end
    parent = parent:match("^(.*)/[^/]*$")
  end
  return names[1]
end

function choose.mfs(names)
  local all, best = sides(), names[1]
  for _, name in ipairs(names) do
    if all[name].free - all[name].used > all[best].free - all[best].used then best = name end
  end
  return best
end

function choose.rr(names)
  local turn = strata.store.turn or 0
  strata.store.turn = turn + 1
  return names[turn % #names + 1]
end

strata.on("before_create", function(ev)
  local names = branches()
  local how = choose[strata.setting("create")]
  if not how then return strata.deny("EINVAL", "branches.create is tdp, mfs or rr") end
  local branch = how(names, ev)
  if ev.kind == "directory" then
    local homes = strata.store.homes or {}
    homes[ev.path] = branch
    strata.store.homes = homes
  end
  return strata.route(branch)
end)

strata.command("branch", {summary = "show what the branches hold", usage = "branch", run = function()
  for _, layer in ipairs(strata.layers()) do
    if layer.kind == "side" then print(string.format("%-8s %8d bytes", layer.name, layer.used)) end
  end
  return 0
end})
