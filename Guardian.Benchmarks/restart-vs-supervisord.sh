#!/usr/bin/env bash
# Time from kill -9 of a supervised process until its successor runs: Guardian and supervisord, the same program, 50 kills each,
# 500 ms apart, in one run on one machine. Build first; installs supervisor from Debian where it is missing (root).
set -euo pipefail
cd "$(dirname "$0")/.."
kills=${1:-50}
command -v supervisord >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq supervisor >/dev/null; }
work=$(mktemp -d)
port=$(( 20000 + RANDOM % 20000 ))
guardian='' supervisor=''
finish() {
  for pid in $guardian $supervisor; do kill -TERM "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT

# The program says who it is in the moment it runs.
cat >"$work/program" <<'PROGRAM'
#!/bin/sh
echo $$ >"$1.new" && mv "$1.new" "$1"
exec sleep 100000
PROGRAM
chmod +x "$work/program"
cat >"$work/kernels.yaml" <<YAML
kernels:
  - { name: program, type: process, command: ["$work/program", "$work/guardian.pid"], restart: { max: 1000, within: 1m } }
YAML
cat >"$work/supervisord.conf" <<CONF
[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile=$work/supervisord.lock
[program:program]
command=$work/program $work/supervisord.pid
autorestart=true
startretries=1000000
startsecs=0
CONF
dotnet Guardian.Host/bin/Debug/net10.0/guardian.dll run --Guardian:Node:DataDirectory="$work/data" --Guardian:Http:Url="http://127.0.0.1:$port" --Guardian:Files:Kernels="$work/kernels.yaml" >"$work/guardian.log" &
guardian=$!
supervisord -c "$work/supervisord.conf" >/dev/null &
supervisor=$!

measure() { # name
  local file="$work/$1.pid" times=() old new start
  until [ -s "$file" ]; do sleep 0.05; done
  sleep 3
  for _ in $(seq "$kills"); do
    old=$(<"$file")
    start=$(date +%s%N)
    kill -KILL "$old"
    until new=$(<"$file") 2>/dev/null && [ -n "$new" ] && [ "$new" != "$old" ]; do sleep 0.002; done
    times+=($(( ($(date +%s%N) - start) / 1000000 )))
    local left=$(( 500 - ($(date +%s%N) - start) / 1000000 ))
    [ "$left" -le 0 ] || sleep "0.$(printf %03d "$left")"
  done
  printf '%s\n' "${times[@]}" | sort -n | awk -v name="$1" '{ a[NR] = $1 } END { printf "%-12s median %5d ms   worst %5d ms   of %d\n", name, a[int((NR + 1) / 2)], a[NR], NR }'
}
measure guardian
measure supervisord
