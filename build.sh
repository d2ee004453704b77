#!/usr/bin/env bash
set -euo pipefail
cd "$(dirname "$0")"
command=${1:-build}
[ $# -gt 0 ] && shift
case "$command" in
  build) exec dotnet build "$@" ;;
  test)  exec dotnet test "$@" ;;
  run)   exec dotnet run --project Guardian.Host "$@" ;;
  bench) exec dotnet run -c Release --project Guardian.Benchmarks "$@" ;;
  pack)  exec dotnet pack -c Release -o artifacts/packages "$@" ;;
  ci)    exec bash .ci/run "$@" ;;
  *)     echo "usage: build.sh [build|test|run|bench|pack|ci] [options]" >&2; exit 2 ;;
esac
