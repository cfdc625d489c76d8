#!/usr/bin/env bash
# Builds the release server and the load tools, installs the peers that are missing (nginx, its RTMP module, wrk) and
# prints the table. Arguments go to the `bench` binary: `benches/run.sh bodies --repeats 9`.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}

missing=()
command -v nginx >/dev/null || missing+=(nginx-light)
command -v wrk >/dev/null || missing+=(wrk)
command -v taskset >/dev/null || missing+=(util-linux)
[ -e /usr/lib/nginx/modules/ngx_rtmp_module.so ] || missing+=(libnginx-mod-rtmp)
if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get >/dev/null || {
        echo "bench: no apt-get here; install by hand: ${missing[*]}" >&2
        exit 1
    }
    root=()
    [ "$(id -u)" = 0 ] || root=(sudo)
    # The packages would start an nginx of their own on port 80; the bench starts the ones it needs.
    "${root[@]}" apt-get update -q >&2
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -q --no-install-recommends "${missing[@]}" >&2
fi

# A recent ffmpeg and the clips, out of Python packages.
[ -e tests/.tools/requirements.done ] || bash tests/tools/setup.sh >&2

"$cargo" build --release --bin riverrun >&2
"$cargo" build --release -p riverrun-bench >&2
exec target/release/bench "$@"
