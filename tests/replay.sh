#!/usr/bin/env bash
# Replays the public data on SQLite and, when COUNTERMAND_TEST_POSTGRES names a server, on PostgreSQL. The figures must be those
# of data/figures.py, which shares no code with the suite; `verify` must hold; a second run of the file must add nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
countermand=target/debug/countermand
work=$(mktemp -d "${TMPDIR:-/tmp}/countermand-replay.XXXXXX")
trap 'rm -rf "$work"' EXIT
gunzip --stdout tests/data/online-retail-2010-12.csv.gz >"$work/retail.csv"
python3 tests/data/figures.py <"$work/retail.csv" >"$work/figures.json"

replay() { # label, storage arguments …
    local label=$1
    shift
    for run in first second; do
        local started=$SECONDS
        "$countermand" --json replay "$work/retail.csv" "$@" >"$work/$label-$run.json"
        python3 - "$work/figures.json" "$work/$label-$run.json" <<'PY'
import json, sys
figures, result = (json.load(open(path)) for path in sys.argv[1:])
summary = {**result["summary"], **result["summary"]["matching"]}
wrong = {name: (summary.get(name), figure) for name, figure in figures.items() if summary.get(name) != figure}
assert not wrong, f"reported, expected: {wrong}"
assert summary["change_orders_unfinished"] == 0 and result["verify"]["holds"], result["verify"]
PY
        echo "   $label, $run run: the figures are exact and the books balance, $((SECONDS - started)) s"
    done
    cmp <(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["summary"])' "$work/$label-first.json") \
        <(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["summary"])' "$work/$label-second.json")
}

replay sqlite --data-dir "$work/sqlite"
if [ -n "${COUNTERMAND_TEST_POSTGRES:-}" ]; then
    replay postgres --database-url "${COUNTERMAND_TEST_POSTGRES%/*}"
fi
