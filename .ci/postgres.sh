#!/usr/bin/env bash
# A private PostgreSQL for tests: its own data directory under /tmp, a Unix socket only, nothing on the network.
#   eval "$(.ci/postgres.sh start)"   starts it and exports GUARDIAN_TEST_POSTGRES (a connection string)
#   .ci/postgres.sh stop              stops it and removes its data
# Options of start: --durable keeps fsync on (for measurements); without it a power cut would lose data, a kill -9 of a client does not.
set -euo pipefail
command=${1:-}; shift || true
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
[ -n "$bin" ] || bin=$(dirname "$(command -v pg_ctl 2>/dev/null || echo /nowhere/pg_ctl)")
as_owner() { # the server refuses to run as root
  if [ "$(id -u)" -eq 0 ]; then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

case "$command" in
  start)
    [ -x "$bin/initdb" ] || { echo "postgres.sh: PostgreSQL is not installed; apt-get install postgresql" >&2; exit 1; }
    home=$(mktemp -d /tmp/guardian-postgres-XXXXXX) # short: a socket's path has 107 characters at most
    [ "$(id -u)" -ne 0 ] || chown postgres "$home"
    fsync=off; [ "${1:-}" = --durable ] && fsync=on
    as_owner "$bin/initdb" -D "$home/data" -U guardian --auth=trust --encoding=UTF8 --locale=C >"$home/initdb.log" 2>&1 ||
      { cat "$home/initdb.log" >&2; exit 1; }
    as_owner "$bin/pg_ctl" -D "$home/data" -w -t 60 -l "$home/data/server.log" \
      -o "-c listen_addresses='' -c unix_socket_directories='$home' -c max_connections=300 -c fsync=$fsync -c synchronous_commit=$fsync -c full_page_writes=$fsync" start >/dev/null 2>&1 ||
      { cat "$home/data/server.log" >&2; exit 1; }
    echo "export GUARDIAN_TEST_POSTGRES='Host=$home;Username=guardian;Database=postgres' GUARDIAN_TEST_POSTGRES_HOME='$home'"
    ;;
  stop)
    home=${GUARDIAN_TEST_POSTGRES_HOME:?not started from this shell}
    case "$home" in /tmp/guardian-postgres-*) ;; *) echo "postgres.sh: '$home' is not of its making" >&2; exit 1 ;; esac
    as_owner "$bin/pg_ctl" -D "$home/data" -m immediate -w stop >/dev/null || true
    rm -rf "$home"
    ;;
  *) sed -n 2,6p "$0"; exit 2 ;;
esac
