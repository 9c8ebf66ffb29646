---@meta

---@class strata.Layer
---@field id integer
---@field name string
---@field depth integer

---@class strata.Verdict

---@class strata.Event
---@field event string as it was registered: `before_copy_up`
---@field id integer its place in the sequence of events
---@field path string? absolute, inside the namespace
---@field path2 string? where to, of a rename or link; what a symlink points to; where the other fork of a merge has it; on the host, of a copy or mount
---@field node integer? its number
---@field kind string? `file directory symlink char block fifo socket`
---@field size integer? of the file, in bytes
---@field mode integer? permission bits
---@field offset integer? where is written
---@field bytes integer? written, or taken from below
---@field layer strata.Layer? that it happens in
---@field from_layer strata.Layer? that owned what is written; `base` for a base
---@field to_layer strata.Layer? that owns it now
---@field fork string its name
---@field command string? the command line
---@field op_id integer? the operation of the log
---@field pid integer of the program; 0 in the shell
---@field rule string? what decided
---@field message string? what went wrong, of `error`; the plugin's name, of `plugin_load` and `plugin_unload`; the other fork's, of `merge`
---@field conflict string? of a merge that asks about one path: `both changed`, `changed/removed`, `type`, `directory/file` or `rename/rename`
---@field base string? of such a conflict: the content, or the link's target, that both forks began with
---@field ours string? the same as the fork has it that is merged into
---@field theirs string? as the other one has it

strata = { fs = {}, log = {} }

---Registers a handler. Only `before_` handlers may return a verdict.
---@param event string `before_X`, `after_X`, or one of the `session_` and `plugin_` events
---@param options? table `pattern`, `priority` (higher is asked earlier), `on_error="ignore"`, `when_full="drop"` (for `after_` handlers: rather miss events than keep programs)
---@param handler? fun(ev: strata.Event): strata.Verdict what is called
function strata.on(event, options, handler) end

---Says how first writes are done: by rules, then by a function, then by `write`.
---@param name string for messages
---@param policy table `write`, `rules` (first match wins) and `choose`
function strata.policy(name, policy) end

---Adds a command to the shell. What `run` returns is its exit status.
---@param name string the command's name
---@param command table `summary`, `usage` and `run=function(ctx)`; ctx has `args` and `fork`
function strata.command(name, command) end

---The value of a setting. Called with a default while the plugin loads, it makes it.
---@param name string the setting's name
---@param default? any its value until it is set
---@param help? string one line
---@return any
function strata.setting(name, default, help) end

---Adds a check that `checkhealth` runs: `"ok"`, `"warning"` or `"error"`, and why.
---@param check? fun(): string?, string returns a level and a text
function strata.health(check) end

---Ends the chain: no further handler is asked.
---@return strata.Verdict
function strata.allow() end

---Refuses: the operation fails and nothing has changed.
---@param errno? string the name of the error, `EACCES` if none
---@param reason? string what a person reads behind the error
---@return strata.Verdict
function strata.deny(errno, reason) end

---Takes the whole content up. Answers a first write.
---@return strata.Verdict
function strata.copy_up() end

---Takes only the blocks written. Answers a first write.
---@param options? table `block`: bytes in which blocks are taken, 4096 or a power of two above
---@return strata.Verdict
function strata.redirect(options) end

---Has the node live in a side layer. Answers a first write or a create.
---@param layer string a side layer's name
---@return strata.Verdict
function strata.route(layer) end

---Keeps what the fork has that is merged into. Answers a merge.
---@return strata.Verdict
function strata.ours() end

---Takes what the other fork has. Answers a merge.
---@return strata.Verdict
function strata.theirs() end

---Makes this the content of the file. Answers a conflict of a merge.
---@param content string all of the file
---@return strata.Verdict
function strata.merged(content) end

---A file's whole content.
---@param path string of a file
---@return string?
function strata.fs.read(path) end

---Replaces a file's content, making the file if it is not there.
---@param path string of a file
---@param text string its new content
---@return true?
function strata.fs.write(path, text) end

---Adds to a file's end, making the file if it is not there.
---@param path string of a file
---@param text string what comes to its end
---@return true?
function strata.fs.append(path, text) end

---`kind node size mode uid gid links mtime` of what a path leads to.
---@param path string of anything
---@return table?
function strata.fs.stat(path) end

---The names in a directory, sorted.
---@param path string of a directory
---@return string[]?
function strata.fs.list(path) end

---Makes a directory.
---@param path string of the new directory
---@return true?
function strata.fs.mkdir(path) end

---Removes a name.
---@param path string of anything but a directory that is not empty
---@return true?
function strata.fs.remove(path) end

---The stack of the fork, upper to lower, then the bases, then the side layers: each with `name`, `kind` (`layer`, `base`, `side`), `id` and `depth`; side layers with `free` and `used` in bytes, and `data`.
---@return table[]
function strata.layers() end

---Makes a side layer; false if there is one of the name already.
---@param name string the side layer's name
---@param options? table `data`: a host directory whose file system it counts on
---@return boolean
function strata.layer_add(name, options) end

---Forks the fork at work and returns the child's name.
---@param name? string of the new fork; one is made up if none
---@return string?
function strata.fork(name) end

---Reports a line at the level debug.
---@param text string one line
function strata.log.debug(text) end

---Reports a line at the level info.
---@param text string one line
function strata.log.info(text) end

---Reports a line at the level warn.
---@param text string one line
function strata.log.warn(text) end

---Reports a line at the level error.
---@param text string one line
function strata.log.error(text) end

---Tells the person something, whatever command is running.
---@param text string one line
function strata.notify(text) end

---Writes the values to the session, with tabs between them.
---@param ... any values
function print(...) end

---A table of the plugin's own that is kept with the fork: it forks with it, and undo takes it back. Values are what a table of strings, numbers and booleans can hold.
---@type table<string, any>
strata.store = {}

---Seconds since 1970 by the session's clock.
---@return integer
function os.time() end

---Seconds with fractions by the session's clock.
---@return number
function os.clock() end

---A time in UTC as text.
---@param format? string as for strftime(3)
---@param time? integer seconds since 1970
---@return string
function os.date(format, time) end
