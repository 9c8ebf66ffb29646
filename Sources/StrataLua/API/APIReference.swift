/// The reference of what plugins may call, from the list that registers it.
public enum APIReference {
  private static let eventTypes: [String: String] = [
    "event": "string", "id": "integer", "path": "string?", "path2": "string?", "node": "integer?",
    "kind": "string?", "size": "integer?", "mode": "integer?", "offset": "integer?",
    "bytes": "integer?", "layer": "strata.Layer?", "from_layer": "strata.Layer?",
    "to_layer": "strata.Layer?", "fork": "string", "command": "string?", "op_id": "integer?",
    "pid": "integer", "rule": "string?", "message": "string?",
    "conflict": "string?", "base": "string?", "ours": "string?", "theirs": "string?",
  ]

  private static let eventHelp: [String: String] = [
    "event": "as it was registered: `before_copy_up`", "id": "its place in the sequence of events",
    "conflict":
      "of a merge that asks about one path: `both changed`, `changed/removed`, `type`, "
      + "`directory/file` or `rename/rename`",
    "base": "of such a conflict: the content, or the link's target, that both forks began with",
    "ours": "the same as the fork has it that is merged into",
    "theirs": "as the other one has it",
    "path": "absolute, inside the namespace",
    "path2":
      "where to, of a rename or link; what a symlink points to; where the other fork of a merge has "
      + "it; on the host, of a copy or mount", "node": "its number",
    "kind": "`file directory symlink char block fifo socket`", "size": "of the file, in bytes",
    "mode": "permission bits", "offset": "where is written",
    "bytes": "written, or taken from below", "layer": "that it happens in",
    "from_layer": "that owned what is written; `base` for a base", "to_layer": "that owns it now",
    "fork": "its name", "command": "the command line", "op_id": "the operation of the log",
    "pid": "of the program; 0 in the shell", "rule": "what decided",
    "message":
      "what went wrong, of `error`; the plugin's name, of `plugin_load` and `plugin_unload`; the other "
      + "fork's, of `merge`",
  ]

  private static var fields: [(name: String, type: String, help: String)] {
    EventFields.names.map { name in
      (name.description, eventTypes[name.description] ?? "any", eventHelp[name.description] ?? "")
    }
  }

  /// Definitions for LuaLS, the language server.
  public static func luaLS() -> String {
    var lines = ["---@meta", "", "---@class strata.Layer", "---@field id integer"]
    lines += [
      "---@field name string", "---@field depth integer", "", "---@class strata.Verdict", "",
    ]
    lines += ["---@class strata.Event"]
    lines += fields.map { "---@field \($0.name) \($0.type) \($0.help)" }
    lines += ["", "strata = { fs = {}, log = {} }", ""]
    for function in API.functions {
      lines += function.help.split(separator: "\n").map { "---\($0)" }
      if case .proxy = function.body {
        lines += ["---@type table<string, any>", "\(function.name) = {}", ""]
        continue
      }
      for parameter in function.parameters {
        let isOptional = parameter.type.hasSuffix("?")
        let type = isOptional ? String(parameter.type.dropLast()) : parameter.type
        let name = parameter.name + (isOptional ? "?" : "")
        lines.append("---@param \(name) \(type) \(parameter.help)")
      }
      if let returns = function.returns { lines.append("---@return \(returns)") }
      let names = function.parameters.map(\.name).joined(separator: ", ")
      lines += ["function \(function.name)(\(names)) end", ""]
    }
    return lines.joined(separator: "\n")
  }

  /// The reference page.
  public static func markdown() -> String {
    var text = introduction
    text +=
      "\n## Fields of an event\n\nWhat does not apply is nil.\n\n| field | type | |\n|---|---|---|\n"
    for field in fields { text += "| `\(field.name)` | `\(field.type)` | \(field.help) |\n" }
    text += "\n## Functions\n"
    for function in API.functions {
      let names = function.parameters.map { $0.name + ($0.type.hasSuffix("?") ? "?" : "") }
      let isTable = if case .proxy = function.body { true } else { false }
      let call = isTable ? "" : "(\(names.joined(separator: ", ")))"
      text += "\n### `\(function.name)\(call)`"
      text += function.returns.map { " → `\($0)`" } ?? ""
      text += "\n\n\(function.help)\n"
      if !function.parameters.isEmpty { text += "\n" }
      for parameter in function.parameters {
        text += "- `\(parameter.name)` (`\(parameter.type)`): \(parameter.help)\n"
      }
      text += "\n```lua\n\(function.example)\n```\n"
    }
    return text
  }

  private static let introduction = """
    # Plugins

    A plugin is a text file in Lua 5.4 whose first line names it:

    ```lua
    #!strata-plugin name=guard api=1
    ```

    `--plugin FILE` or `plugin load FILE` loads it, `plugin reload NAME` loads it again, and
    `plugin set NAME SETTING=VALUE` changes its settings. `strata.d.lua` tells a language server of
    the functions below; both files are made from the list that registers them.

    ## Who decides

    Before something happens, in this order: the **rules** of `strata.policy` (the first that
    matches), its **choose**, its **write**; then the handlers of `before_` events, higher
    priorities first. A handler that returns nil goes on, `strata.allow()` ends the chain with the
    choice so far, `strata.deny()` ends the operation. A first write to something from below asks
    `before_copy_up` or `before_redirect`; a handler may change the one into the other, and then
    those of the other kind are asked. A rule that denies holds for every change of its paths: also
    for what is moved or linked there, and for a directory above that is renamed. What a handler
    itself does to the namespace is not asked about again. `merge`, `undo`, `switch` and `rebase`
    bring states that were made before, and ask for no paths; `before_merge` may refuse a merge.

    Patterns match whole paths: `*` and `?` within a name, `[a-z]`, `**` across names; `/etc/**` is
    `/etc` too, and a pattern without a slash in front matches at any depth. They are matched before
    Lua is entered; of a `rename` or `link`, either path may match.

    ## Files with several names

    Content, mode, owners, times and extended attributes are a file's, whatever names it has (hard
    links). So for `open`, `write`, `setattr`, `copy_up`, `redirect` and `metadata_copy` a rule or a
    pattern holds if any name of the file matches, whichever is used: a rule that denies for `/a`
    denies what comes by its other name `/b`. Each name has the first rule that matches it; if one of
    these denies, that decides, then the rule for the event's path, then the first for another name;
    but a side layer (`to`) only the rule for the event's path gives.
    Where `write="deny"` refuses what no rule allows, and there is no `choose`, it refuses a first write
    to what has a name that no rule is for.

    The names that count are those that the fork has at that time. Known are all that were made in the
    fork or in one that it comes from, and of a base those that somebody has looked at in whatever fork,
    by listing with attributes or by using them, since the workspace was opened. A pattern without
    wildcards is looked up besides, so that it always holds. **Not known** are names of a base that nobody
    has looked at and that only a wildcard would match: a rule for `/usr/**` does not hold for what is
    written by `/home/x`, another name of `/usr/x`, until `/usr/x` has been looked at. What must hold in
    any case is named in full. As for every file, a policy is asked about the first write; once that was
    let go through, later ones are asked about only by `before_write`.

    `ev.path` is the name that the caller used: in the shell that is known. Of a program it is not known
    by which name it has opened a file; then `ev.path` is a name that the handler's pattern matches, and
    without a pattern one of the names. So a handler or a `choose` that compares `ev.path` itself sees
    one name only. `create`, `remove`, `rename`, `link`, `whiteout` and `opaque` are about names, and only
    about those that are given.

    ## Events

    `before_X` may return a verdict, `after_X` observes. X is one of `open create write remove rename
    link setattr copy_up redirect metadata_copy whiteout opaque fork switch commit discard merge
    import export command mount unmount`. Besides: `session_start session_end plugin_load
    plugin_unload error`.

    `import` and `export` are of each file, directory and link that `copy-in` and `copy-out` copy,
    with the host's path as `ev.path2`, as the command was given it. A directory's `after_` comes
    behind those of what is in it. What `commit` brings to the host is a `commit`.

    `mount` and `unmount` have the host's directory as `ev.path2`. `before_unmount` is asked when
    the command `umount` is given; `after_unmount` tells of every end of a mount.

    ## Conflicts of a merge

    `merge` asks `before_merge` once for the merge as a whole, without `ev.path`, and once for each
    conflict that no option of the command settles, with `ev.path` and `ev.conflict`. A handler
    settles one with `strata.ours()`, `strata.theirs()` or `strata.merged(content)`; for the merge
    as a whole, the first two hold for whatever nobody else settles. `ev.base`, `ev.ours` and
    `ev.theirs` are read only if a handler asks for them; each is nil where that side has nothing
    there, or no content, or more than 16 MiB. `strata.deny()` ends the merge. `after_merge` tells
    that it is done.

    ## When a plugin fails

    The operation fails with EPERM and nothing has changed, unless the handler was registered with
    `on_error="ignore"`; the message names `plugin:line`, and the traceback is shown. Three failures
    in a row disable the plugin, which every session of the workspace is told at once, or the next that
    begins. A disabled plugin is asked nothing: what it would refuse is done, until `plugin enable NAME`.

    ## Programs

    Events of programs in a mount have `ev.pid` and `ev.command`. A program waits for `before_`
    handlers, which decide. While `after_` handlers are told it goes on, unless 1,024 events wait for
    the plugin: then it waits for room, or with `when_full="drop"` the handler misses the event, and
    `plugin --json` and `checkhealth` say how many. All are told before a layer is sealed: at the end
    of an operation, when a fork is taken.

    ## Limits

    Each plugin has a Lua state of its own: 64 MiB of memory, 50 million instructions a call,
    coroutines, pattern matching and allocation included; Ctrl-C ends it at once. There is no `io`,
    `debug`, `package`, `load`, no `os` but `time`, `clock` and `date`, no finaliser (`__gc`).
    `pairs` goes through numbers, then strings, in order, and `tostring` shows no addresses, so that
    sessions replay.

    ## Tests

    `NAME_test.lua` beside `NAME.lua` holds tests, which `strata test FILE…` runs, each in a fresh
    session in memory:

    ```lua
    base{["/etc/hosts"] = "127.0.0.1 localhost\\n"}

    test("small files are copied up", function(t)
      t.ok(t.append("/etc/hosts", "10.0.0.7 build\\n"))
      t.eq(t.events(), {"copy_up /etc/hosts"})
    end)
    ```

    `t.write append remove mkdir rename chmod` change something as a user does and return true, or
    nil, a message and the error's name; `t.read exists diff side forks events` look; `t.set` sets a
    setting, `t.run` runs a command of the plugin, `t.command` tells the plugin of a command line,
    `t.undo` takes back; `t.fork NAME` makes a fork, `t.switch NAME` goes to one and `t.merge NAME`
    merges one into where the test is; `t.eq ok fails` say what must be true.

    """
}
