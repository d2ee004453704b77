#!/usr/bin/env bash
# A real node under a real processor load, from end to end, with the moments measured. Needs stress-ng, hey, curl, jq, and a quiet machine.
#   .ci/pressure.sh foreign   stress-ng on every core for 45 s, nobody's kernel: load is shed, it is not touched, all is given back
#   .ci/pressure.sh kernel    the same as a process kernel with `remediation: enforce`: throttled or killed, resolved
set -uo pipefail
cd "$(dirname "$0")/.."
what=${1:-foreign}
for tool in stress-ng hey curl jq; do command -v $tool >/dev/null || { echo "pressure: $tool is not installed"; exit 2; }; done
# Before the node: its start alone keeps a small machine busy.
busy() { awk '/^cpu /{ print $2 + $3 + $4 + $7 + $8 + $9, $5 + $6 }' /proc/stat; }
read -r b0 i0 <<<"$(busy)"; sleep 2; read -r b1 i1 <<<"$(busy)"
[ $((100 * (b1 - b0) / (b1 - b0 + i1 - i0))) -lt 50 ] || { echo "pressure: this machine is busier than 50 % by itself; nothing can be measured"; exit 2; }
work=$(mktemp -d)
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])' 2>/dev/null || echo 18558)
url=http://127.0.0.1:$port
idle='while kill -0 $PPID 2>/dev/null; do sleep 1; done'
cat >"$work/kernels.yaml" <<K
apiVersion: guardian/v1
kind: Kernels
kernels:
  - { name: librarian, type: jobs, criticality: critical, class: interactive, workers: 4, commands: { index: ["/usr/bin/env", "true"] } }
  - { name: indexer, type: jobs, class: general, workers: 4, commands: { index: ["/usr/bin/env", "true"] } }
  - { name: trainer, type: process, criticality: background, class: model_training, replicas: { count: 2, min: 0, max: 4 }, command: [sh, -c, '$idle'], heartbeat: { every: 1s, missAfter: 3s } }
  - { name: bystander, type: process, criticality: critical, command: [sh, -c, '$idle'], heartbeat: { every: 1s, missAfter: 3s } }
  # It burns while the file is there and runs on calmly once it was killed.
  - { name: burner, type: process, criticality: background, class: general, remediation: enforce, command: [sh, -c, 'while kill -0 \$PPID; do [ -e $work/burn ] && rm $work/burn && exec stress-ng --quiet --cpu $(nproc) --timeout 120s; sleep 0.1; done'] }
K
dotnet Guardian.Host/bin/Debug/net10.0/guardian.dll run --Guardian:Http:Url="$url" --Guardian:Node:DataDirectory="$work/data" \
  --Guardian:Files:Kernels="$work/kernels.yaml" >"$work/node.log" 2>&1 &
node=$! load=
finish() { [ -n "$load" ] && kill -TERM "$load" 2>/dev/null; kill -TERM "$node" 2>/dev/null; wait 2>/dev/null; rm -rf "$work"; }
trap finish EXIT
failed=0
now() { echo $(($(date +%s%N) / 1000000)); }
since() { awk "BEGIN { printf \"%.1f\", ($(now) - $t0) / 1000 }"; }
say() { printf '%6s s  %s\n' "$(since)" "$1"; }
must() { local text=$1; shift; if "$@"; then say "$text"; else say "NOT: $text"; failed=1; fi; }
eventually() { # seconds, command...
  local end=$((SECONDS + $1)); shift
  until "$@"; do [ $SECONDS -ge $end ] && return 1; kill -0 "$node" 2>/dev/null || return 1; sleep 0.1; done
}
api() { curl -s -m 10 -H "Authorization: Bearer $(cat "$work/data/admin.key")" "$url$1"; }
is() { api "$1" | jq -e "$2" >/dev/null; } # path, condition
code() { curl -s -m 10 -o /dev/null -w '%{http_code}' "${@:2}" "$url$1"; }
ready() { [ "$(code /ready)" = 200 ]; }
t0=$(now)
eventually 60 ready || { tail -n 40 "$work/node.log"; exit 1; }
eventually 30 is /api/v1/kernels 'map(select(.type == "process")) | all(.running == .wanted)' || { echo "pressure: the kernels do not run"; exit 1; }
step() { is '/api/v1/runs?playbook=resource_pressure_cpu' "[.[] | .steps[] | select(.id == \"$1\" and .state == \"$2\")] | length > 0"; }
run() { is '/api/v1/runs?playbook=resource_pressure_cpu' "length > 0 and .[0].state == \"$1\""; }
none() { is /api/v1/mitigations 'length == 0'; }
before=$(api /api/v1/kernels/burner | jq -c '[.replicas[] | .pid]')
bystander=$(api /api/v1/kernels/bystander | jq -c '[.replicas[] | .pid]')
sleep 3
t0=$(now)
if [ "$what" = foreign ]; then stress-ng --quiet --cpu "$(nproc)" --timeout 45s & load=$!; else touch "$work/burn"; fi
must "incident opened" eventually 30 is '/api/v1/incidents?limit=10' 'map(select(.type == "resource.cpu_pressure")) | length == 1'
opened=$(($(date -d "$(api '/api/v1/incidents?limit=10' | jq -r 'map(select(.type == "resource.cpu_pressure"))[0].openedAt')" +%s%N) / 1000000 - t0)) # asking takes its time under load
must "by its own time after $opened ms, which is 10 to 12 s" [ $((opened / 2000)) = 5 ]
if [ "$what" = foreign ]; then
  must "non-critical kernels at half: indexer 2 workers, trainer 50 % or paused" eventually 20 is /api/v1/kernels '(map(select(.name == "indexer"))[0].percent == 50) and (map(select(.name == "trainer"))[0].percent <= 50)'
  must "heavy classes paused" eventually 20 is /api/v1/kernels/trainer '.percent == 0'
  must "public API limited" eventually 20 step api succeeded
  hey -z 3s -c 2 -m POST -H 'X-Guardian-Principal: librarian' "$url/api/v1/bus/library.books" >"$work/hey.log"
  limited=$(sed -n 's/.*\[429\][[:space:]]*\([0-9]*\) responses.*/\1/p' "$work/hey.log") passed=$(sed -n 's/.*\[202\][[:space:]]*\([0-9]*\) responses.*/\1/p' "$work/hey.log")
  must "hey for 3 s: ${limited:-0} answered 429, ${passed:-0} answered 202" [ "${limited:-0}" -gt 0 ]
  must "/ready answers 200" ready
  must "an operator's call answers 200" [ "$(code /api/v1/status -H "Authorization: Bearer $(cat "$work/data/admin.key")")" = 200 ]
  must "scheduler critical_only" eventually 20 is /api/v1/status '.scheduler == "critical_only"'
  must "operations were told" eventually 20 step tell succeeded
  must "the run escalated" eventually 40 run escalated
  must "stress-ng was not touched" kill -0 "$load"
  wait "$load"; ended=$? load=; must "stress-ng ended by itself with $ended" [ $ended -eq 0 ]
else
  must "the burner was killed, or throttled" eventually 20 is '/api/v1/runs?playbook=resource_pressure_cpu' '[.[] | .steps[] | select((.id == "kill" or .id == "throttle") and .state == "succeeded")] | length > 0'
  must "resolved" eventually 30 run resolved
  ended=$(($(date -d "$(api '/api/v1/runs?playbook=resource_pressure_cpu' | jq -r '.[0].endedAt // "now"')" +%s%N) / 1000000 - t0))
  must "by its own time after $ended ms, within 30 s" [ $ended -lt 30000 ]
  must "the burner has another process: $before before, $(api /api/v1/kernels/burner | jq -c '[.replicas[] | .pid]') now" [ "$before" != "$(api /api/v1/kernels/burner | jq -c '[.replicas[] | .pid]')" ]
fi
must "the bystander lives" [ "$bystander" = "$(api /api/v1/kernels/bystander | jq -c '[.replicas[] | .pid]')" ]
must "incident resolved" eventually 60 is '/api/v1/incidents?limit=10' 'map(select(.type == "resource.cpu_pressure")) | all(.state == "resolved")'
must "public API free again" eventually 90 is /api/v1/mitigations 'all(.target != "api")'
must "heavy classes run again" eventually 90 is /api/v1/kernels/trainer '.percent > 0'
must "everything given back: no mitigation left, all kernels at 100 %" eventually 120 none
must "scheduler normal, replicas as before" eventually 20 is /api/v1/kernels 'all(.percent == 100 and .running == .wanted)'
must "no second incident" is '/api/v1/incidents?limit=10' 'map(select(.type == "resource.cpu_pressure")) | length == 1'
must "heartbeats of healthy kernels were never reported missing" is '/api/v1/incidents?limit=50' 'map(select(.type | startswith("kernel."))) | length == 0'
api '/api/v1/runs?playbook=resource_pressure_cpu' | jq -r '.[] | "run \(.id) \(.state): \([.steps[] | "\(.id) \(.state)\(if .reason then " (\(.reason))" else "" end)"] | join(", "))"'
[ $failed -eq 0 ] || { [ -n "${KEEP_LOG:-}" ] && cp "$work/node.log" "$KEEP_LOG"; }
exit $failed
