using Frazil.Server.CommandLine;

return await FrazilCommand.RunAsync(args, Terminal.Process);
