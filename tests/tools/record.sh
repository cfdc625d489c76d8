#!/usr/bin/env bash
# Makes the recordings in tests/vectors anew: ffmpeg and GStreamer publish the clip `tiny` through record.py to ffmpeg's own
# RTMP listener, so that no reply of ours is in the loop. PROVENANCE.md there says what was recorded when.
set -euo pipefail
cd "$(dirname "$0")/../.."
clip=$(echo tests/out/footage/tiny-v*.flv)
server=19351
tee=19352

record() {
    local name=$1
    shift
    timeout 60 ffmpeg -nostdin -v error -listen 1 -i "rtmp://127.0.0.1:$server/live/riverrun-test-key" -f null - 2>/dev/null &
    local listener=$!
    sleep 1
    python3 tests/tools/record.py $tee $server "tests/vectors/$name.rtmp" >/dev/null &
    local recorder=$!
    sleep 1
    timeout 60 "$@"
    wait $recorder
    wait $listener || true # ffmpeg's listener calls a publisher that leaves an input error
    echo "$name: $(stat -c %s "tests/vectors/$name.rtmp") bytes"
}

url=rtmp://127.0.0.1:$tee/live/riverrun-test-key
record ffmpeg-5.1.9 ffmpeg -nostdin -v error -i "$clip" -c copy -f flv "$url"
record gstreamer-1.22 gst-launch-1.0 -q flvmux name=m streamable=true ! rtmp2sink location="$url" \
    filesrc location="$clip" ! flvdemux name=d d.video ! queue ! h264parse ! m. d.audio ! queue ! aacparse ! m.
