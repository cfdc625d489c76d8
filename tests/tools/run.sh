#!/usr/bin/env bash
# Runs every test and ends with one plain line of totals, kept in tests/out/totals for who runs this as one step of many.
# Needs what setup.sh installs and a built page; `make test` sees to both.
set -uo pipefail
cd "$(dirname "$0")/../.."
cargo=${CARGO:-cargo}
mkdir -p tests/out
rm -f tests/out/totals
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0
failed=0
broken=0

# Adds the sums of the numbers that the two patterns find in the log; a run that fails without naming a failed test counts
# as one, so that a build error can never look like a pass.
count() {
    local status=$1 pass_pattern=$2 fail_pattern=$3 good bad
    good=$(grep -oE "$pass_pattern" "$log" | grep -oE '[0-9]+' | paste -sd+ | sum)
    bad=$(grep -oE "$fail_pattern" "$log" | grep -oE '[0-9]+' | paste -sd+ | sum)
    [ "$status" = 0 ] || [ "$bad" -gt 0 ] || bad=1
    passed=$((passed + good))
    failed=$((failed + bad))
    [ "$status" = 0 ] || broken=1
}
sum() {
    local terms
    read -r terms || true
    echo $((${terms:-0}))
}

# Leaves only the lines of the log that carry totals, without colours.
keep() {
    sed -i -E "s/\\x1b\\[[0-9;]*m//g; $1" "$log"
}

if command -v cargo-nextest >/dev/null 2>&1; then
    "$cargo" nextest run --workspace --no-fail-fast "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    # Only the summary line counts: "Summary [ 12.3s] 120 tests run: 118 passed (2 slow), 2 failed, 1 skipped".
    keep '/tests? run:/!d'
    count "$status" '[0-9]+ passed' '[0-9]+ (failed|timed out|exec failed)'
else
    "$cargo" test --workspace --no-fail-fast "$@" 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    keep '/^test result:/!d'
    count "$status" '[0-9]+ passed' '[0-9]+ failed'
fi

if [ -e web/page/package.json ] && grep -q '"test"' web/page/package.json; then
    (cd web/page && npm test --silent) 2>&1 | tee "$log"
    status=${PIPESTATUS[0]}
    # vitest: "Tests  2 failed | 40 passed (42)"; node --test: "# pass 40".
    keep '/^ *Tests +|^(#|ℹ) (pass|fail) /!d; s/\([0-9]+\)//'
    count "$status" '[0-9]+ passed|pass [0-9]+' '[0-9]+ failed|fail [0-9]+'
fi

echo "$passed passed, $failed failed" | tee tests/out/totals
[ "$broken" = 0 ] && [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
