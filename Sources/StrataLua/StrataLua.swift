// StrataLua
