// StrataSystem
