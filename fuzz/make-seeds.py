#!/usr/bin/env python3
"""Makes the seeds in fuzz/seeds from the captures in media/testdata and tests/vectors, and the small handmade ones.
Findings (crash-*, named for the symptom) lie beside them and are left alone."""

import pathlib
import struct

ROOT = pathlib.Path(__file__).parent
SEEDS = ROOT / "seeds"
TESTDATA = ROOT.parent / "media/testdata"
VECTORS = ROOT.parent / "tests/vectors"


def seed(target, name, data):
    folder = SEEDS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def amf():
    number = b"\0" + struct.pack(">d", 30)
    pair = lambda name, value: struct.pack(">H", len(name)) + name + value
    text = lambda text: b"\2" + struct.pack(">H", len(text)) + text
    end = b"\0\0\x09"
    members = pair(b"framerate", number) + pair(b"encoder", text(b"obs")) + pair(b"stereo", b"\1\1")
    seed("amf0", "object", text(b"@setDataFrame") + text(b"onMetaData") + b"\x03" + members + end)
    seed("amf0", "ecma-array", b"\x08\0\0\0\3" + members + end)
    seed("amf0", "strict-array", b"\x0a\0\0\0\2" + number + b"\x07\0\0" + b"\x05\x06\x0d")
    seed("amf0", "date-xml-long", b"\x0b" + struct.pack(">d", 1e12) + b"\0\0\x0f\0\0\0\3<a>\x0c\0\0\0\1x")
    seed("amf0", "typed", b"\x10\0\1C" + members + end)
    seed("amf0", "switch", b"\x11\x0a\x0b\x01\x03a\x04\x01\x01")
    seed("amf3", "object", b"\x0a\x0b\x01\x03a\x06\x05hi\x01")
    seed("amf3", "sealed", b"\x0a\x23\x05Cl\x03a\x03b\x04\x05\x03")
    seed("amf3", "array", b"\x09\x05\x03k\x02\x01\x04\x01\x05" + struct.pack(">d", 1))
    seed("amf3", "references", b"\x09\x05\x01\x06\x03a\x09\x00")
    seed("amf3", "bytes-date", b"\x09\x05\x01\x0c\x05ab\x08\x01" + struct.pack(">d", 1))


def h264():
    for line in (TESTDATA / "h264/avcc.hex").read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        name, record = line.split()
        record = bytes.fromhex(record)
        seed("avcc", name, record)
        length = int.from_bytes(record[6:8], "big")
        sps = record[8:8 + length]
        rest = record[8 + length:]
        pps = rest[3:3 + int.from_bytes(rest[1:3], "big")]
        seed("sps", name, sps)
        seed("pps", name, pps)
        sets = b"\0\0\0\1" + sps + b"\0\0\1" + pps
        seed("avcc", name + "-sets", sets)
        seed("annexb", name, sets + b"\0\0\0\1\x65\x88\x80")
    seed("annexb", "lengths", b"\0\0\0\2\x09\x10\0\0\0\3\x65\x88\x80\0\0\0\2\x41\x9a")
    seed("annexb", "short-lengths", b"\0\2\x09\x10\0\3\x65\x88\x80")


def h264_streams():
    # Blocks behind two-byte lengths: the record, then the access units.
    for path in sorted((TESTDATA / "h264").glob("*.flv")):
        flv, at, blocks = path.read_bytes(), 13, b""
        while at < len(flv):
            kind, size = flv[at], int.from_bytes(flv[at + 1:at + 4], "big")
            body = flv[at + 11:at + 11 + size]
            if kind == 9 and body[1] < 2:
                blocks += struct.pack(">H", size - 5) + body[5:]
            at += 11 + size + 4
        seed("h264_decode", path.stem, blocks)


def aac():
    for name, config in {"lc-48k": "1190", "lc-44k-mono": "1208", "sbr": "2b920800", "ps": "eb8a0800",
                         "implicit-sbr": "139056e5a5480880", "pce": "118004c8000000000000",
                         "explicit-rate": "1780bb8010", "960": "119400"}.items():
        seed("asc", name, bytes.fromhex(config))
    frame = bytes.fromhex("fff14c8001 7ffc 211004".replace(" ", ""))
    frame = bytes([0xFF, 0xF1, 0x4C, 0x80, 10 >> 3, (10 & 7) << 5 | 0x1F, 0xFC]) + b"\x21\x10\x04"
    seed("adts", "one", frame)
    seed("adts", "two", frame * 2)
    seed("adts", "raw", b"\x21\x10\x04")


def sound():
    lines = dict(line.split() for line in (TESTDATA / "aac.hex").read_text().splitlines())
    for name in ("surround", "fast", "mono", "he_v2"):
        config = bytes.fromhex(lines[name + "_config"])
        data = bytes([len(config)]) + config
        for unit in range(8):
            payload = bytes.fromhex(lines[f"{name}_{unit}"])
            # A gap of 60 ms before the fifth.
            data += struct.pack(">HB", len(payload), 2 * (unit == 5)) + payload
        seed("aac_decode", name, data)
    seed("aac_decode", "nothing-decoded", b"\2\x11\x90" + b"\0\1\0\xff" * 6)


def flv():
    for file in sorted((TESTDATA / "flv").glob("*.flv")):
        data, at, seen = file.read_bytes(), 13, {}
        while at + 11 < len(data):
            kind, size = data[at], int.from_bytes(data[at + 1:at + 4], "big")
            body = data[at + 11:at + 11 + size]
            at += 11 + size + 4
            key = (kind, body[:2])
            if kind in (8, 9) and key not in seen:
                seen[key] = True
                seed("flv_tag", f"{file.stem}-{kind}-{body[:2].hex()}", body[:64])
    seed("flv_tag", "hevc-enhanced", b"\x90hvc1" + bytes(16))
    seed("flv_tag", "modex", b"\x97\0\0\0\0\x01av01" + bytes(8))
    seed("flv_tag", "multitrack", b"\x96\x00\x01avc1\0\0\0\0\0")
    seed("flv_tag", "opus-enhanced", b"\x90Opus" + bytes(12))


def rtmp():
    files = sorted((TESTDATA / "rtmp").glob("*.bin")) + sorted(VECTORS.glob("*.rtmp"))
    for file in files:
        data = file.read_bytes()
        stem = file.stem
        # The chunk target starts behind the handshake; small pieces are enough to begin with.
        seed("rtmp_chunk", stem, b"\1\x20" + data[1 + 2 * 1536:][:4096])
        steps = b""
        for at in range(0, min(len(data), 8192), 1024):
            piece = data[at:at + 1024]
            steps += b"\0" + struct.pack(">H", len(piece)) + piece
            if at == 4096:
                steps += b"\xe0"
        seed("rtmp_session", stem, b"\0\x40" + steps)
    message = b"\x04\0\0\0\0\0\5\x09\1\0\0\0\x17\x01\0\0\0"
    seed("rtmp_session", "publishing", b"\2\3\0" + struct.pack(">H", len(message)) + message + b"\xc0\x27\x10\0\xfc")
    seed("rtmp_session", "late", b"\1\1\xc0\xff\xff\1")
    seed("rtmp_session", "refused", b"\2\1\xf4")
    seed("rtmp_chunk", "sizes", b"\1\1\x02\0\0\0\0\0\4\1\0\0\0\0\0\0\1\0" + message)
    seed("rtmp_chunk", "abort", b"\1\2\x04\0\0\0\0\0\xff\x09\1\0\0\0" + bytes(128) +
         b"\x02\0\0\0\0\0\4\2\0\0\0\0\0\0\0\4" + message)
    seed("rtmp_chunk", "extended", b"\0\5\x04\xff\xff\xff\0\0\3\x09\1\0\0\0\1\0\0\0abc\xc4\1\0\0\0abc")


def machines():
    picture = lambda step: b"\2\0\x0a" + step + b"\5\0"
    seed("source", "headers-then-media", b"\0\0\0\1\0" + b"\2\0\x07\1\x0a\x06\x20\4\0\x07\2" * 12)
    seed("source", "sound-only", b"\0\1\0" + b"\x07\1\x0a\x04\x17" * 20 + b"\x0e\x20\0" + b"\x07\1\x0a\x04\x17" * 20)
    seed("source", "reconnect", b"\0\0\0\1\0" + b"\2\0\x0a\x06\x20\4\0" * 4 + b"\x0f\0\0\0\1\1" + b"\2\0\x0a\x06\x20" * 6)
    seed("source", "jumps", b"\2\0\0\1\0" + b"\2\0\x0a\x0d\x20\4\0\x0a\x0f\x20\7\0\x0a\x0c\xff" * 8)
    start = b"\x90\5\4\0\0\0\0\0"
    run = b"\0\x78\0\x1d"
    seed("segmenter", "steady", b"\0\0\1" + start + run * 6 + b"\xc0\2\1\2\0\0\0" + run * 4)
    seed("segmenter", "reconnects", b"\0\0\0" + (start + run * 3 + b"\xa0") * 4)
    seed("segmenter", "broadcasts", b"\0\0\1" + (start + run * 3 + b"\xa8") * 4)
    seed("segmenter", "pauses", b"\1\2\1" + start + (run + b"\xac\1\x60\0" + run + b"\xac\2\x60\0") * 4)
    seed("segmenter", "hostile", b"\2\1\0" + start + run + b"\x40\xe5\x07" + b"\x40\xf1" + bytes(8) + run + b"\x70\x10\x05\x0f" + run)
    seed("segmenter", "tracks-change", b"\0\0\1" + start + run * 2 + b"\x90\0\4\0\0\0\0\0" + run * 2 + b"\x90\5\0\0\0\0\0\0" + run * 2)


def http():
    requests = {
        "get": "GET /hls/stream.m3u8?_HLS_msn=3 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n",
        "pipelined": "GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 3,
        "post": "POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "chunked": "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nHEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        "continue": "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nok",
        "http10": "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        "absolute": "GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n",
        "options": "\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "two-lengths": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "both-framings": "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "folded": "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
    }
    for name, text in requests.items():
        seed("http_session", name, b"\7\x30" + text.encode())
        seed("http_steps", name, b"".join(
            bytes([0, len(piece)]) + piece for piece in
            (text.encode()[at:at + 200] for at in range(0, len(text), 200))) + b"\4\x32\5\xff\7\0\6\0")
    seed("http_chunked", "two", b"\1\x10" + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n")
    seed("http_chunked", "large", b"\7\x20" + b"ffffffff\r\n")
    for name, lines in {
        "ranges": ["\0bytes=0-9", "\0bytes=-5"],
        "range": ["\0bytes=990-"],
        "suffix": ["\1bytes=-2000"],
        "past": ["\0bytes=1000-"],
        "if-range": ["\0bytes=1-2", "\2\"a\""],
        "tags": ["\3W/\"a\", \"b,c\"", "\4*"],
        "dates": ["\5Sun, 20 Sep 2026 10:00:00 GMT", "\6Sun, 20 Sep 2026 09:00:00 GMT"],
        "codings": ["\7gzip;q=0.5, br;q=1.0, *;q=0"],
    }.items():
        seed("http_answer", name, "\n".join(lines))


def text():
    for name, query in {"msn": "_HLS_msn=7&_HLS_part=2", "skip": "_HLS_skip=YES&ll=0", "wide": "_HLS_msn=18446744073709551615",
                        "twice": "_HLS_msn=1&_HLS_msn=1", "empty": ""}.items():
        seed("directives", name, query)
    seed("config", "all", 'data = "./d"\nhttp = "[::]:8080"\nrtmp = "127.0.0.1:1935"\nshards = 2\nstream_key = "abcdefgh"\n'
         'admin_password = "12345678"\ndemo = true\nlog = "debug"\ngrace_seconds = 5\nrewind_seconds = 60\nsegment_seconds = 2\n')
    seed("config", "wrong", "shards = 0\nhtpp = 1\n")
    seed("config", "nested", "a.b.c = [1, {x = 1.5}, 2026-01-01T00:00:00Z]\n")
    for name, path in {"page": "/", "playlist": "/hls/0/stream.m3u8", "part": "/hls/audio/12.0.m4s", "init": "/hls/0/init-1.mp4",
                       "api": "/api/status", "dots": "/hls/../../etc/passwd", "percent": "/%68ls/stream.m3u8", "public": "/public/clips/two%20words.mp4",
                       "public-up": "/public/%2e%2e/%2fetc"}.items():
        seed("route", name, path)
    for name, told in (
        ("json", b'{"br":3200,"bs":true,"mtp":25400,"ltc":1500,"sid":"6e2f","sta":"p","ttlb":250}'),
        ("list", b'[{"mtp":400},{"e":"e","sid":"x"},{"e":"bc"},{"br":[3200]}]'),
        ("dictionary", rb'br=(3200;v 128;a),bs,mtp=25400,ltc=1500, ttlb=250,sta=p,sid="6e2f,b\"5"'),
        ("query", b"p=1&CMCD=br%3D3200%2Cbs%2Csid%3D%22x%22"),
        ("plain", b'{"errors":0,"qualityVariantChanges":1,"bandwidth":5000,"latency":2.5}'),
    ):
        seed("cmcd", name, told)


for part in (amf, h264, h264_streams, aac, sound, flv, rtmp, machines, http, text):
    part()
