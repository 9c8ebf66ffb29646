// StrataLuaTests
