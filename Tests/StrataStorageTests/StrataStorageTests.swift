// StrataStorageTests
