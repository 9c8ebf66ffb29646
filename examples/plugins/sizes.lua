#!strata-plugin name=sizes api=1
-- Copies small files up and redirects large ones; what is small is a setting.
strata.setting("threshold", 64 * 1024, "bytes from which on a file is redirected")

strata.policy("sizes", {choose = function(ev)
  return ev.size < strata.setting("threshold") and "copy_up" or "redirect"
end})
