extension Command {
  /// All commands of the shell, in the order of their names.
  public static let all: [Command] = [
    .echo,
    .exit,
    .false,
    .help,
    .true,
  ]
}
