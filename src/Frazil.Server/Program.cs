using Frazil.Columnar;
using Frazil.Server.CommandLine;
using SQLitePCL;

PackedLibraries.ServeTo(static () => typeof(SQLite3Provider_e_sqlite3).Assembly);
return await FrazilCommand.RunAsync(args, Terminal.Process);
