"""Reads a playlist from stdin with the PyPI package m3u8; prints what it understood as JSON."""

import json
import sys

import m3u8

text = sys.stdin.read()
playlist = m3u8.loads(text)
complete = [segment for segment in playlist.segments if segment.uri]
json.dump(
    {
        "target": playlist.target_duration,
        "msn": playlist.media_sequence,
        "ended": playlist.is_endlist,
        "segments": [[segment.uri, segment.duration] for segment in complete],
        "parts": [
            [part.uri, part.duration] for segment in playlist.segments for part in segment.parts
        ],
        "variants": [
            [variant.uri, variant.stream_info.bandwidth, variant.stream_info.codecs]
            for variant in playlist.playlists
        ],
        "audio": [media.uri for media in playlist.media if media.type == "AUDIO"],
    },
    sys.stdout,
)
