// StrataShellTests
