#!/usr/bin/env bash
# run.sh TARGET SECONDS: one fuzz target; `run.sh all SECONDS` shares the seconds between all of them. Stable Rust is
# enough, because no sanitizer is used: the code has no `unsafe` outside the codec bindings, and of those `h264_decode` and
# `aac_decode` see crashes only.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
wanted=$1
seconds=$2

mapfile -t targets < <(for file in fuzz/targets/*.rs; do basename "$file" .rs; done)
if [ "$wanted" != all ]; then
    [[ " ${targets[*]} " == *" $wanted "* ]] || {
        echo "fuzz: no target \"$wanted\"; there are: ${targets[*]}" >&2
        exit 2
    }
    targets=("$wanted")
fi

"$cargo" fuzz build -s none
# The binaries themselves from here on: `cargo fuzz run` would look at the whole tree again for each of them.
binaries=${CARGO_TARGET_DIR:-fuzz/target}/$(rustc -vV | sed -n 's/^host: //p')/release
share=$((seconds / ${#targets[@]}))
# The gate judges a change, so it tries the same inputs each time; a long run tries others each time (0).
seed=$([ "$wanted" = all ] && echo 1 || echo 0)
for target in "${targets[@]}"; do
    # Findings come to fuzz/artifacts; new inputs stay in fuzz/corpus, the committed seeds as they are.
    mkdir -p "fuzz/corpus/$target" "fuzz/artifacts/$target"
    "$binaries/$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -artifact_prefix="fuzz/artifacts/$target/" \
        -max_total_time="$((share > 0 ? share : 1))" -max_len=16384 -seed="$seed" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        2>&1 | grep -aE 'panicked|ERROR|Test unit|number_of_executed_units|SUMMARY|^Done' | sed "s/^/$target: /"
done
