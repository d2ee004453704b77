param([string]$Command = 'build', [Parameter(ValueFromRemainingArguments)][string[]]$Rest)
$ErrorActionPreference = 'Stop'
Set-Location $PSScriptRoot
switch ($Command) {
  'build' { dotnet build @Rest }
  'test'  { dotnet test @Rest }
  'run'   { dotnet run --project Guardian.Host @Rest }
  'bench' { dotnet run -c Release --project Guardian.Benchmarks @Rest }
  'pack'  { dotnet pack -c Release -o artifacts/packages @Rest }
  'ci'    { bash .ci/run @Rest }
  default { Write-Error 'usage: build.ps1 [build|test|run|bench|pack|ci] [options]'; exit 2 }
}
exit $LASTEXITCODE
