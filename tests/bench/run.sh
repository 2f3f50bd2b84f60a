#!/usr/bin/env bash
# Complete cancellations per second, on SQLite and on PostgreSQL with the services as separate processes, and the ratio to a
# monolith: the same writes as one transaction in one database, driven by pgbench in the same run on the same server.
#
#   tests/bench/run.sh [seconds per point] [clients, comma-separated]
#
# Needs PostgreSQL's server programs and pgbench; builds the release binaries. Figures are of this machine; quote ratios.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-10}
points=${2:-1,8,32,64}
cargo build --release --workspace --bins --locked --quiet
release=$PWD/target/release
pg=$(dirname "$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | tail -n 1)")
[ -x "$pg/pgbench" ] || { echo "pgbench was not found" >&2; exit 1; }
work=$(mktemp -d "${TMPDIR:-/tmp}/countermand-bench.XXXXXX")
chmod 755 "$work"
pids=()
unprivileged() { "$@"; }
if [ "$(id -u)" = 0 ]; then unprivileged() { runuser -u postgres -- "$@"; }; fi
finish() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    unprivileged "$pg/pg_ctl" --pgdata "$work/postgres" --mode immediate stop >/dev/null 2>&1 || true
    rm -rf "$work"
}
trap finish EXIT
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

declare -A public internal
# By what the services know each other.
COUNTERMAND_INTERNAL__SECRET=$(head -c 32 /dev/urandom | base64)
export COUNTERMAND_INTERNAL__SECRET
start_services() { # database url of a service, by name
    local url=$1 service
    for service in order inventory payment notification; do public[$service]=$(free_port) internal[$service]=$(free_port); done
    watched=""
    pids=()
    for service in order inventory payment notification; do
        COUNTERMAND_LISTEN__PUBLIC=127.0.0.1:${public[$service]} COUNTERMAND_LISTEN__INTERNAL=127.0.0.1:${internal[$service]} \
            COUNTERMAND_AUTH__DEVELOPMENT_HEADERS=true COUNTERMAND_TELEMETRY__LOG_FILTER=warn \
            COUNTERMAND_DATABASE__URL=$($url "$service") COUNTERMAND_DATABASE__MIGRATE_ON_START=true \
            $(peers "$service" "$url") "$release/$service" >"$work/$service.log" 2>&1 &
        pids+=($!)
        watched+=${watched:+,}$service=$!
    done
    addresses=()
    for service in order inventory payment notification; do addresses+=("--$service-url" "http://127.0.0.1:${public[$service]}"); done
    sleep 2
}
peers() { # as `env` arguments
    local peer
    echo -n env
    case $1 in
    order) for peer in inventory payment notification; do echo -n " COUNTERMAND_PEERS__${peer^^}=http://127.0.0.1:${internal[$peer]}"; done ;;
    payment) echo -n " COUNTERMAND_PEERS__ORDER=http://127.0.0.1:${internal[order]} COUNTERMAND_GATEWAY__SANDBOX__URL=$($2 gateway) COUNTERMAND_GATEWAY__SANDBOX__MIGRATE_ON_START=true" ;;
    inventory) echo -n " COUNTERMAND_PEERS__ORDER=http://127.0.0.1:${internal[order]}" ;;
    notification) ;;
    esac
}
stop_services() { for pid in "${pids[@]}"; do kill "$pid"; done; wait "${pids[@]}" 2>/dev/null || true; pids=(); }

on_sqlite() { echo "sqlite:$work/$1.db"; }
on_postgres() { echo "postgres://bench@127.0.0.1:$port/$1"; }

echo "== $(nproc) cores; $(date -u +%F); $seconds s a point"
echo "== SQLite (synchronous=FULL), four processes"
start_services on_sqlite
"$release/countermand" bench --connect --concurrency "$points" --seconds "$seconds" --pids "$watched" "${addresses[@]}"
stop_services

mkdir "$work/postgres"
if [ "$(id -u)" = 0 ]; then chown postgres "$work/postgres"; fi
port=$(free_port)
unprivileged "$pg/initdb" --pgdata "$work/postgres" --username bench --auth trust >/dev/null
unprivileged "$pg/pg_ctl" --pgdata "$work/postgres" --wait --log "$work/postgres/log" --options \
    "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200 -c shared_buffers=512MB -c max_wal_size=4GB" start >/dev/null
for database in order inventory payment notification gateway monolith; do
    psql --quiet "postgres://bench@127.0.0.1:$port/postgres" --command "CREATE DATABASE \"$database\"" 
done
psql --quiet "postgres://bench@127.0.0.1:$port/monolith" --file tests/bench/monolith_schema.sql
echo "== PostgreSQL (fsync and synchronous_commit on), four processes"
start_services on_postgres
# Plans made for empty tables are what a new installation has until the first autovacuum, a minute later; that minute is not measured.
"$release/countermand" bench --connect --concurrency 64 --seconds 1 "${addresses[@]}" >/dev/null
for database in order inventory payment notification gateway; do
    psql --quiet "postgres://bench@127.0.0.1:$port/$database" --command ANALYZE
done
server=$(head -n 1 "$work/postgres/postmaster.pid")
probe="psql -At postgres://bench@127.0.0.1:$port/postgres -c \"SELECT 'commits=' || sum(xact_commit) FROM pg_stat_database WHERE datname IN \
    ('order','inventory','payment','notification','gateway')\" -c \"SELECT 'fsyncs=' || wal_sync FROM pg_stat_wal\""
for clients in ${points//,/ }; do
    "$release/countermand" --json bench --connect --concurrency "$clients" --seconds "$seconds" \
        --pids "$watched,postgres=$server" --probe "$probe" "${addresses[@]}" >"$work/point.json"
    ours=$(python3 -c 'import json,sys; p=json.load(open(sys.argv[1]))[0]; print(p["per_second"]); print(p["p50_ms"], p["p99_ms"], ", ".join(f"{n} {v:.2f}" for n, v in p["costs"]), file=sys.stderr)' "$work/point.json" 2>"$work/detail")
    theirs=$("$pg/pgbench" -n -M prepared -h 127.0.0.1 -p "$port" -U bench -c "$clients" -j 2 -T "$seconds" -f tests/bench/monolith.sql monolith 2>/dev/null |
        sed -nE 's/^tps = ([0-9.]+).*/\1/p')
    python3 - "$clients" "$ours" "$theirs" "$(cat "$work/detail")" <<'PY'
import sys
clients, ours, theirs, detail = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), sys.argv[4]
print(f"{clients:>3} clients  ours {ours:8.1f}/s  monolith {theirs:8.1f}/s  ratio {ours / theirs:.2f}  p50 and p99 in ms, then per cancellation: {detail}")
PY
done
stop_services
