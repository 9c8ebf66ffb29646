#!strata-plugin name=scratch api=1
-- Routes caches to a side layer: they fork and undo like everything else, but diff leaves them out.
strata.layer_add("scratch")

strata.policy("caches", {rules = {
  {match = {"/var/cache/**", "**/__pycache__/**", "**/.cache/**"}, to = "scratch"},
}})
