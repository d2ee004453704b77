#!/usr/bin/env bash
# Jobs through one pool with a kill -9 of the node in the middle: each accepted job is done exactly once. Build first; needs hey, curl, jq.
# The node does not look at the machine: 50,000 processes keep it busy, and a node that sheds its load does no jobs.
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${1:-50000}
for tool in hey curl jq; do command -v $tool >/dev/null || { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq hey curl jq >/dev/null; break; }; done
work=$(mktemp -d)
url=http://127.0.0.1:$(( 20000 + RANDOM % 20000 ))
node=''
finish() { [ -z "$node" ] || { kill -TERM "$node" 2>/dev/null && wait "$node" 2>/dev/null || true; }; rm -rf "$work"; }
trap finish EXIT
cat >"$work/kernels.yaml" <<YAML
kernels:
  - { name: pool, type: jobs, workers: 8, queue: 100000, commands: { note: [sh, -c, "echo \$GUARDIAN_JOB >> $work/done"] } }
YAML
touch "$work/done"
start() {
  dotnet Guardian.Host/bin/Debug/net10.0/guardian.dll run --Guardian:Node:DataDirectory="$work/data" --Guardian:Http:Url="$url" --Guardian:Files:Kernels="$work/kernels.yaml" >>"$work/node.log" &
  node=$!
  until curl -sf "$url/ready" >/dev/null; do sleep 0.1; done
}
over() { curl -s "$url/api/v1/kernels/pool" | jq .jobs.over; }
start
begin=$(date +%s%N)
hey -n "$jobs" -c 50 -m POST -H "Authorization: Bearer $(cat "$work/data/admin.key")" -d '{}' "$url/api/v1/kernels/pool/jobs" | grep -A3 'Status code'
echo "accepted after $(( ($(date +%s%N) - begin) / 1000000 )) ms: $(curl -s "$url/api/v1/kernels/pool" | jq -c .jobs)"
until [ "$(wc -l <"$work/done")" -ge $(( jobs / 2 )) ]; do sleep 0.1; done
kill -KILL "$node"; wait "$node" 2>/dev/null || true
echo "kill -9 at $(wc -l <"$work/done") of $jobs"
start
until [ "$(over)" -ge "$jobs" ]; do sleep 0.5; done
echo "all over after $(( ($(date +%s%N) - begin) / 1000000 )) ms: $(wc -l <"$work/done") done, $(sort -u "$work/done" | wc -l) different"
[ "$(wc -l <"$work/done")" = "$jobs" ] && [ "$(sort -u "$work/done" | wc -l)" = "$jobs" ] && echo "no job lost, none done twice"
