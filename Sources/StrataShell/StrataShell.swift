// StrataShell
