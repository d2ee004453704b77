using Guardian.Host.Cli;

return await GuardianCli.RunAsync(args, Console.Out, Console.Error);
