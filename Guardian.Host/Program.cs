using Guardian.Actors.Leasekeeping;
using Guardian.Host.Cli;

// Before the command line is built: the leasekeeper must be there within moments and stay small.
return args is [KeeperProgram.Command, .. var rest]
    ? await KeeperProgram.RunAsync(rest, Console.In, Console.Out, Console.Error)
    : await GuardianCli.RunAsync(args, Console.Out, Console.Error);
