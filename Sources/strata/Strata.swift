internal import ArgumentParser
internal import Glibc
internal import StrataShell

/// The program's command line.
@main
struct Strata: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "strata",
    abstract: "A layering shell: work on a directory tree without changing it.",
    usage: """
      strata [OPTION…]
      strata [OPTION…] COMMAND [ARGUMENT…]
      strata [OPTION…] FILE [ARGUMENT…]
      strata [OPTION…] -c COMMANDS [ARGUMENT…]
      """,
    discussion: """
      Without a command, starts a session over the current directory, which stays as it is: all \
      changes are kept in memory and are gone at the end. With the name of a regular file, runs \
      that script; otherwise runs one command of the shell ('strata help' lists them) and exits \
      with its status. Further subcommands: replay, record and test.
      """,
    version: "strata \(Version.current)")

  @ArgumentParser.Option(
    name: .customShort("c"),
    help: ArgumentHelp("Run these commands; several, one after the other.", valueName: "commands"))
  var commands: [String] = []

  @ArgumentParser.Option(
    name: .customShort("f"), help: ArgumentHelp("Run this script.", valueName: "file"),
    completion: .file())
  var file: String?

  @ArgumentParser.Option(
    help: ArgumentHelp(
      "A read-only tree to work on; several are stacked, topmost first.", valueName: "dir"),
    completion: .directory)
  var base: [String] = []

  @ArgumentParser.Option(
    help: ArgumentHelp("Load this plugin.", valueName: "file"),
    completion: .file(extensions: ["lua"]))
  var plugin: [String] = []

  @Flag(help: "Write what commands list as JSON.")
  var json = false

  @Flag(name: .customLong("no-rc"), help: "Do not read the rc file.")
  var noRc = false

  @ArgumentParser.Option(help: ArgumentHelp("Colour: auto, always or never.", valueName: "when"))
  var color = ColorChoice.auto

  @Flag(
    help: ArgumentHelp(
      "Open the workspace in this process instead of its owner.", visibility: .hidden))
  var alone = false

  @Argument(
    help: "A command or a script, with its arguments.",
    completion: .custom(Launch.completions))
  var words: [String] = []

  static func main() {
    StandardStreams.fill()
    // Who ignores the end of its children leaves that to who it starts: we wait for ours.
    signal(SIGCHLD, SIG_DFL)
    if let fork = EnterFork.wanted { fork.run() }
    if let words = MountHelper.wanted { MountHelper.run(words) }
    if let words = UnmountHelper.wanted { UnmountHelper.run(words) }
    if let words = MountHelper.served { MountHelper.serve(words) }
    if let path = OwnerProcess.workspaceToOwn { OwnerProcess.run(path) }
    main(Launch.separated(Array(CommandLine.arguments.dropFirst())))
  }

  func run() throws {
    var launch = Launch(
      commands: commands.isEmpty ? nil : Launch.bytes(commands.joined(separator: "\n")),
      script: file.map(Launch.bytes),
      bases: base.map(Launch.bytes), plugins: plugin.map(Launch.bytes), json: json,
      readsRc: !noRc, color: color, words: Launch.rawArguments(last: words.count),
      isAlone: alone)
    launch.takeBasesOfCommand()
    Glibc.exit(launch.run())
  }
}

enum ColorChoice: String, CaseIterable, ExpressibleByArgument {
  case auto, always, never
}
