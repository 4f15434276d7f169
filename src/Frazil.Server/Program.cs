using Frazil.Columnar;
using Frazil.Query.Workers;
using Frazil.Server.CommandLine;
using SQLitePCL;

PackedLibraries.ServeTo(static () => typeof(SQLite3Provider_e_sqlite3).Assembly);
// Before anything else is loaded: workers start often.
return SqlWorker.RunIfAsked(args) ?? await FrazilCommand.RunAsync(args, Terminal.Process);
