#!/usr/bin/env bash
# Starts the built node on a free port, floods it with a real HTTP client, and waits until it healed.
set -uo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])' 2>/dev/null || echo 18558)
url=http://127.0.0.1:$port
dotnet Guardian.Host/bin/Debug/net10.0/guardian.dll run \
  --Guardian:Http:Url="$url" --Guardian:Node:DataDirectory="$work/data" --Guardian:Monitors:Resources:Enabled=false >"$work/node.log" 2>&1 &
node=$!
finish() { kill -TERM "$node" 2>/dev/null; wait "$node" 2>/dev/null; rm -rf "$work"; }
trap finish EXIT
fail() { echo "smoke: $1"; tail -n 40 "$work/node.log"; exit 1; }
eventually() { # seconds, command...
  local end=$((SECONDS + $1)); shift
  until "$@"; do [ $SECONDS -ge $end ] && return 1; kill -0 "$node" 2>/dev/null || return 1; sleep 0.1; done
}

ready() { [ "$(curl -s -o /dev/null -w '%{http_code}' "$url/ready")" = 200 ]; }
eventually 60 ready || fail "not ready"
hey -n 300 -c 10 -m POST -H 'X-Guardian-Principal: rogue' "$url/api/v1/bus/system.control" >"$work/hey.log" || fail "hey"
grep -q '\[403\][[:space:]]*300 responses' "$work/hey.log" || { cat "$work/hey.log"; fail "300 requests were not all answered 403"; }
banned() { curl -s "$url/api/v1/blacklist" | jq -e 'tostring | contains("rogue")' >/dev/null; }
eventually 10 banned || fail "rogue was not banned"
resolved() { curl -s "$url/api/v1/incidents?limit=10" | jq -e '[.. | objects | select(.key? == "acl/principal/rogue")] | length == 1 and .[0].state == "resolved" and .[0].violations == 300' >/dev/null; }
eventually 60 resolved || { curl -s "$url/api/v1/incidents"; curl -s "$url/api/v1/runs"; fail "the incident was not resolved with 300 violations"; }
curl -sf "$url/metrics" > "$work/metrics" || fail "no answer of /metrics" # not into a pipe: grep -q ends it at its first match, and curl fails
grep -q '^guardian_' "$work/metrics" || fail "no metrics"
[ "$(wc -l <"$work/data/tasks.jsonl")" -eq 1 ] || fail "not exactly one ticket"
kill -TERM "$node"; wait "$node"; status=$?
[ $status -eq 0 ] || fail "shutdown ended with $status"
echo "smoke: 300 denied, banned, resolved, one ticket, clean shutdown"
