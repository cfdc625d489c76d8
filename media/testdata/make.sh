#!/bin/sh
# Makes the vectors of this folder anew. Needs ffmpeg with libx264 and python3. See PROVENANCE.md.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: > h264/avcc.hex

# record NAME INPUT-FILTER ENCODER-OPTIONS…: encodes one picture group, appends the avcC payload.
record() {
    name=$1 input=$2
    shift 2
    ffmpeg -v error -y -f lavfi -i "$input" -frames:v 4 -c:v libx264 "$@" "$work/$name.flv"
    python3 - "$name" "$work/$name.flv" >> h264/avcc.hex <<'PY'
import sys
name, path = sys.argv[1:]
flv = open(path, "rb").read()
at = 13
while at < len(flv):
    kind, size = flv[at], int.from_bytes(flv[at + 1:at + 4], "big")
    body = flv[at + 11:at + 11 + size]
    if kind == 9 and body[:2] == b"\x17\x00":
        print(name, body[5:].hex())
        break
    at += 11 + size + 4
PY
}

record baseline testsrc2=s=320x240:r=25 -pix_fmt yuv420p -profile:v baseline
record main testsrc2=s=1280x720:r=30 -pix_fmt yuv420p -profile:v main -bf 2
record high_1080_ntsc testsrc2=s=1920x1080:r=30000/1001 -pix_fmt yuv420p -profile:v high \
    -colorspace bt709 -color_primaries bt709 -color_trc bt709 -color_range tv
record high_full_range testsrc2=s=640x360:r=60 -pix_fmt yuvj420p -profile:v high
record high10 testsrc2=s=640x360:r=24000/1001 -pix_fmt yuv420p10le -profile:v high10
record high422_interlaced testsrc2=s=720x576:r=25,setsar=16/15 -pix_fmt yuv422p \
    -profile:v high422 -flags +ildct+ilme -x264-params tff=1
record interlaced_cropped testsrc2=s=716x476:r=30000/1001,setsar=10/11 -pix_fmt yuv420p \
    -flags +ildct+ilme -x264-params bff=1
record high444 testsrc2=s=322x180:r=50 -pix_fmt yuv444p -profile:v high444
record gray testsrc2=s=322x182:r=50 -pix_fmt gray -profile:v high
record cropped testsrc2=s=322x182:r=48 -pix_fmt yuv420p -profile:v high
record scaling_lists testsrc2=s=640x480:r=25 -pix_fmt yuv420p -x264-params cqm=jvt
record hrd testsrc2=s=640x480:r=25 -pix_fmt yuv420p -b:v 800k -maxrate 800k -bufsize 800k \
    -x264-params nal-hrd=cbr
record smallest testsrc2=s=16x16:r=1 -pix_fmt yuv420p
record fastest testsrc2=s=320x240:r=240 -pix_fmt yuv420p

ffmpeg -v error -y -f lavfi -i testsrc2=s=96x64:r=25 -f lavfi -i sine=440:r=48000 -t 3 \
    -c:v libx264 -pix_fmt yuv420p -g 25 -bf 2 -b:v 60k -c:a aac -ac 2 -b:a 32k flv/25fps_48k_stereo.flv
ffmpeg -v error -y -f lavfi -i testsrc2=s=96x64:r=30000/1001 -f lavfi -i sine=440:r=44100 -t 3 \
    -c:v libx264 -pix_fmt yuv420p -g 30 -bf 0 -b:v 60k -c:a aac -ac 1 -b:a 32k flv/ntsc_44k_mono.flv

# Small streams for the decoder: every coding tool in a few kilobytes.
stream() {
    name=$1
    shift
    ffmpeg -v error -y -f lavfi -i testsrc2=s=80x48:r=25,noise=alls=8:allf=t,format=yuv420p -frames:v 12 \
        -c:v libx264 -threads 1 -g 8 -b:v 60k "$@" -flvflags no_duration_filesize -map_metadata -1 "h264/$name.flv"
}

stream pyramid -bf 3 -x264-params b-pyramid=normal:b-adapt=0:weightp=2:slices=2
stream flat -profile:v high -bf 0 -refs 2
stream cavlc -profile:v main -coder 0 -x264-params bframes=2:b-adapt=0:direct=temporal
stream baseline -profile:v baseline
# units NAME FILTER LAYOUT RATE: the configuration and twelve units of AAC, a line each. The lines of
# he_v2 stay: ffmpeg has no encoder for them.
grep '^he_v2_' aac.hex > "$work/he_v2"
cp "$work/he_v2" aac.hex
units() {
    ffmpeg -v error -y -f lavfi -i "$2" -t 0.5 -c:a aac -b:a 64k -ar "$4" -channel_layout "$3" "$work/$1.flv"
    python3 - "$1" "$work/$1.flv" >> aac.hex <<'PY'
import sys
name, path = sys.argv[1:]
flv = open(path, "rb").read()
at, unit = 13, 0
while at < len(flv) and unit < 12:
    kind, size = flv[at], int.from_bytes(flv[at + 1:at + 4], "big")
    body = flv[at + 11:at + 11 + size]
    if kind == 8 and body[1] == 0:
        print(name + "_config", body[2:].hex())
    elif kind == 8:
        print(f"{name}_{unit}", body[2:].hex())
        unit += 1
    at += 11 + size + 4
PY
}
units surround 'aevalsrc=random(0)/8|sin(700*t)/4|sin(900*t)/4|sin(50*t)/4|random(1)/9|sin(440*t)/4:c=5.1:s=48000' 5.1 48000
units fast 'aevalsrc=random(0)/8+sin(9000*t)/4|sin(700*t)/4:c=stereo:s=96000' stereo 96000
units mono 'aevalsrc=random(0)/8+sin(700*t)/4:c=mono:s=44100' mono 44100
