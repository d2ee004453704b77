#!/usr/bin/env bash
# What pauses, throttles and scales do to real processes, and what is left when their leases end or the node is killed (-9) in between.
# Build first; needs curl and jq, and root for control groups.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
url=http://127.0.0.1:$(( 20000 + RANDOM % 20000 ))
node=''
finish() { [ -z "$node" ] || { kill -TERM "$node" 2>/dev/null && wait "$node" 2>/dev/null || true; }; rm -rf "$work"; }
trap finish EXIT
cat >"$work/kernels.yaml" <<YAML
kernels:
  - { name: burner, type: process, command: [sh, -c, "while :; do :; done"], replicas: { count: 1, min: 0, max: 4 } }
  - { name: pool, type: jobs, workers: 4, commands: { rest: [sleep, "1000"] } }
YAML
start() {
  dotnet Guardian.Host/bin/Debug/net10.0/guardian.dll run --Guardian:Node:DataDirectory="$work/data" --Guardian:Http:Url="$url" --Guardian:Files:Kernels="$work/kernels.yaml" --Guardian:Monitors:Resources:Enabled=false >>"$work/node.log" 2>&1 &
  node=$!
  until curl -sf "$url/ready" >/dev/null; do sleep 0.1; done
}
post() { curl -sf -X POST -H "Authorization: Bearer $(cat "$work/data/admin.key")" -H 'Content-Type: application/json' -d "$2" "$url/api/v1/kernels/$1" >/dev/null; }
show() { curl -s "$url/api/v1/kernels/$1" | jq -r "$2"; }
pid() { show burner '.replicas[0].pid'; }
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
cores() { # pid: cores that it uses within one second
  local before after; before=$(ticks "$1"); sleep 1; after=$(ticks "$1"); awk -v t=$(( after - before )) 'BEGIN { printf "%.2f", t / 100 }'
}
now() { date +%s%N; }
since() { echo $(( ($(now) - $1) / 1000000 )); }
state() { awk '{ print $3 }' "/proc/$1/stat"; }
quota() { cat $(find /sys/fs/cgroup -path "*guardian-$(cat "$work/data/node.name")-burner-0/cpu.cfs_quota_us" -o -path "*guardian-$(cat "$work/data/node.name")-burner-0/cpu.max") | cut -d" " -f1; }

start
p=$(pid)
echo "free:                             $(cores "$p") cores"
at=$(now); post burner/throttle '{ "percent": 50, "for": "5s" }'
echo "throttled to 50 % after $(since "$at") ms:    $(cores "$p") cores"
until [ "$(show burner .percent)" = 100 ]; do sleep 0.02; done
echo "lease over after $(since "$at") ms:        $(cores "$p") cores"
at=$(now); post burner/pause '{ "for": "3s" }'
echo "paused after $(since "$at") ms:               $(cores "$p") cores, state $(state "$p")"
while [ "$(state "$p")" = T ]; do sleep 0.02; done
echo "lease over after $(since "$at") ms:        $(cores "$p") cores"

post burner/throttle '{ "percent": 50, "for": "10m" }'
echo "throttled again:                  $(cores "$p") cores, quota $(quota)"
kill -KILL "$node"; wait "$node" 2>/dev/null || true
at=$(now); while [ "$(quota)" != -1 ] && [ "$(quota)" != max ]; do sleep 0.01; done
echo "kill -9 of the node: free after   $(since "$at") ms, $(cores "$p") cores"
start
[ "$(pid)" = "$p" ] && echo "the next node has adopted the process"
post burner/pause '{ "for": "10m" }'
kill -KILL "$node"; wait "$node" 2>/dev/null || true
at=$(now); while [ "$(state "$p")" = T ]; do sleep 0.01; done
echo "kill -9 while paused: goes on after $(since "$at") ms, $(cores "$p") cores"
start
[ "$(pid)" = "$p" ] && echo "the next node has adopted the process"

post burner/scale '{ "replicas": 4 }'; until [ "$(show burner .running)" = 4 ]; do sleep 0.02; done
at=$(now); post burner/scale '{ "change": -2 }'; until [ "$(show burner '.replicas | length')" = 2 ]; do sleep 0.02; done
echo "scaled down by 2 after            $(since "$at") ms: $(show burner .running) of $(show burner .wanted) run"
for _ in 1 2 3 4 5 6; do post pool/jobs '{}'; done
echo "pool:                             $(show pool .jobs.running) of $(show pool .jobs.workers) workers busy, $(show pool .jobs.waiting) wait"
post pool/throttle '{ "percent": 50, "for": "2s" }'
echo "pool throttled to 50 %:           $(show pool .jobs.workers) workers"
until [ "$(show pool .percent)" = 100 ]; do sleep 0.02; done
echo "lease over:                       $(show pool .jobs.workers) workers"
