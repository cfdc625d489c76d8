#!/usr/bin/env python3
"""Whether `riverrun doctor` tells the truth here: `make doctor-live [MINUTES=10]`.

Runs the doctor, takes the automatic ladder of 720p30 if it is called comfortable, or else the first ladder
that is, and publishes to it in real time for MINUTES (0.3 is a trial): every picture must be coded in every
rendition, none dropped, late or not decoded. Then the largest that is called too much, for a minute at most:
it must drop. Counts are those of the line with which the server's log ends a broadcast. On a machine that is
busy with other things the first part fails: what others take is missing for a ladder.
"""

import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = ROOT / "target/release/riverrun"
FOOTAGE = ROOT / "tests/out/footage"
KEY = "doctor-live-stream-key"
# Width, height, pictures per second, kbit/s of what the doctor's sources are.
SOURCES = {
    "1080p60": (1920, 1080, 60, 6000),
    "1080p30": (1920, 1080, 30, 6000),
    "720p30": (1280, 720, 30, 4000),
}
CLIP_SECONDS = 20
TOO_MUCH_SECONDS = 60
START_SECONDS_MAX = 20
END_SECONDS_MAX = 30
VERDICTS = ("comfortable", "tight", "too much")


def ladders():
    """Rows of the doctor's table: source, setting, share of the free cores, verdict."""
    told = subprocess.run([BINARY, "doctor"], check=True, capture_output=True, text=True, timeout=300).stdout
    rows = []
    print("\n".join(line for line in told.splitlines() if "Other programs" in line or "is missing for" in line))
    for line in told.splitlines():
        cells = re.split(r" {2,}", line.strip())
        if len(cells) == 6 and cells[0] in SOURCES and cells[5] in VERDICTS:
            rows.append((cells[0], cells[1], float(cells[3].rstrip(" %")), cells[5]))
    if not rows:
        sys.exit(f"no ladders in what the doctor says:\n{told}")
    return rows


def clip(source):
    """Moving pictures with grain, a keyframe every two seconds."""
    width, height, rate, kbit = SOURCES[source]
    path = FOOTAGE / f"doctor-{source}.flv"
    if path.exists():
        return path
    FOOTAGE.mkdir(parents=True, exist_ok=True)
    picture = f"testsrc2=s={width}x{height}:r={rate}:d={CLIP_SECONDS},noise=alls=6:allf=t"
    partial = path.with_suffix(".partial")
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", picture]
        + ["-f", "lavfi", "-i", f"sine=f=440:r=48000:d={CLIP_SECONDS}", "-pix_fmt", "yuv420p"]
        + ["-c:v", "libx264", "-preset", "superfast", "-g", str(2 * rate), "-b:v", f"{kbit}k"]
        + ["-maxrate", f"{kbit}k", "-bufsize", f"{kbit}k", "-c:a", "aac", "-f", "flv", partial],
        check=True,
    )
    partial.rename(path)
    return path


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, seconds, log, ready):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = ready()
        if found:
            return found
        time.sleep(0.1)
    sys.exit(f"{what}: not within {seconds} s\n{log.read_text()}")


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run(source, setting, seconds):
    """What became of the pictures: the server's own line."""
    footage = clip(source)
    http, rtmp = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        log = pathlib.Path(folder) / "log"
        with log.open("w") as out:
            server = subprocess.Popen(
                [BINARY, "serve", "--data", f"{folder}/data", "--stream-key", KEY, "--renditions", setting]
                + ["--admin-password", "doctor-live-password", "--log", "info"]
                # Nobody watches, and the publisher does not come back.
                + ["--pause-idle-renditions", "off", "--grace-seconds", "0"]
                + ["--http", f"127.0.0.1:{http}", "--rtmp", f"127.0.0.1:{rtmp}"],
                stdout=out, stderr=out, env={**os.environ, "NO_COLOR": "1"},
            )
        try:
            wait_for("the server's port", START_SECONDS_MAX, log, lambda: listens(rtmp))
            subprocess.run(
                ["ffmpeg", "-nostdin", "-v", "error", "-re", "-stream_loop", "-1", "-i", footage]
                + ["-t", str(seconds), "-c", "copy", "-f", "flv", f"rtmp://127.0.0.1:{rtmp}/live/{KEY}"],
                check=True,
            )
            ended = re.compile(r"the broadcast ended: (.*)")
            found = wait_for("the end of the broadcast", END_SECONDS_MAX, log, lambda: ended.search(log.read_text()))
            return found.group(1)
        finally:
            server.terminate()
            server.wait(timeout=30)


def lost(line):
    """Pictures that viewers of a rendition miss, all together."""
    return sum(int(count) for count in re.findall(r"(?:skipped|dropped|late) (\d+)", line))


def coded(line, setting):
    """Whether every rendition was made, of nearly all pictures or, at a lower rate, of its share."""
    came = int(re.search(r"(\d+) pictures", line).group(1))
    counts = [int(count) for count in re.findall(r"coded (\d+)", line)]
    wanted = [rung for rung in setting.split(",") if rung != "source"]
    return len(counts) == len(wanted) and all(count >= 0.45 * came for count in counts)


def main():
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    rows = ladders()
    # Of AV1 the server itself refuses what is too much.
    encoding = [row for row in rows if row[1] != "source" and ":av1" not in row[1]]
    comfortable = [row for row in encoding if row[3] == "comfortable"]
    comfortable.sort(key=lambda row: row[0] != "720p30")
    too_much = sorted((row for row in encoding if row[3] == "too much"), key=lambda row: -row[2])
    truths = []
    for chosen, verdict, seconds in (
        (comfortable, "comfortable", int(60 * minutes)),
        (too_much, "too much", min(TOO_MUCH_SECONDS, int(60 * minutes))),
    ):
        if not chosen:
            print(f"{verdict:<12} no ladder is called so here")
            continue
        source, setting, share, _ = chosen[0]
        line = run(source, setting, seconds)
        well = lost(line) == 0 and coded(line, setting)
        true = well == (verdict == "comfortable")
        truths.append(true)
        print(f"{verdict:<12} {source:<8} {setting:<26} {share:>4.0f} %  lost {lost(line):>6}  "
              f"{'true' if true else 'NOT TRUE'}\n             {line}", flush=True)
    sys.exit(0 if truths and all(truths) else 1)


main()
