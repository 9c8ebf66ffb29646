#!strata-plugin name=audit api=1
-- Keeps a log of what changes, a JSON line each, in a file inside the namespace.
local log = strata.setting("file", "/audit.jsonl", "where the log is written")

local escapes = {['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t"}

local function json(value)
  if type(value) ~= "string" then return tostring(value) end
  return '"' .. value:gsub('[%c"\\]', function(c)
    return escapes[c] or string.format("\\u%04x", c:byte())
  end) .. '"'
end

local fields = {"event", "id", "path", "path2", "node", "kind", "size", "mode", "offset", "bytes",
                "fork", "command", "op_id"}

local function record(ev)
  local parts = {}
  for _, name in ipairs(fields) do
    if ev[name] ~= nil then parts[#parts + 1] = json(name) .. ":" .. json(ev[name]) end
  end
  local done, message = strata.fs.append(strata.setting("file"), "{" .. table.concat(parts, ",") .. "}\n")
  if not done then strata.log.warn(message) end
end

for _, name in ipairs {"create", "write", "remove", "rename", "link", "setattr", "copy_up",
                       "redirect", "metadata_copy", "whiteout", "opaque"} do
  strata.on("after_" .. name, record)
end
