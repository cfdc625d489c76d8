"""Clients of Owncast's API, written from its description alone and knowing nothing of Riverrun: a stream deck and an
automation script (Basic credentials, as scripts have them), a widget, the public directory's reader, a program that makes
previews of links, a media player that was given the page's address.

    clients.py http://127.0.0.1:8080 PASSWORD
"""

import base64
import json
import sys
import urllib.parse
import urllib.error
import urllib.request
from html.parser import HTMLParser


class StayHere(urllib.request.HTTPRedirectHandler):
    """Tells of a redirection instead of following it."""

    def redirect_request(self, *_):
        return None


class Server:
    def __init__(self, url, password):
        self.url = url
        token = base64.b64encode(f"admin:{password}".encode()).decode()
        self.credentials = {"Authorization": f"Basic {token}"}
        self.opener = urllib.request.build_opener(StayHere)

    def ask(self, method, path, body=None, admin=False, headers=None):
        headers = {**(headers or {}), **(self.credentials if admin else {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with self.opener.open(request, timeout=20) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def read(self, path, admin=False):
        status, headers, body = self.ask("GET", path, admin=admin)
        assert status == 200, f"{path}: {status} {body!r}"
        return json.loads(body)

    def config(self, path, value):
        status, _, body = self.ask("POST", f"/api/admin/config/{path}", {"value": value}, True)
        answer = json.loads(body)
        assert status == 200 and answer["success"] is True, f"{path}: {status} {answer}"


def deck(server):
    """A button that sets the title, a lamp that tells whether one is live, a page of settings."""
    server.config("streamtitle", "Pressed a button")
    status = server.read("/api/status")
    assert status["streamTitle"] == "Pressed a button", status
    assert isinstance(status["online"], bool), status
    assert "viewerCount" not in status or status["viewerCount"] > 0, status
    admin = server.read("/api/admin/status", admin=True)
    for name in ("broadcaster", "currentBroadcast", "health", "viewerCount", "online"):
        assert name in admin, f"{name} is missing in {admin}"
    details = server.read("/api/admin/serverconfig", admin=True)
    # The admin page of Owncast sends back what it has read.
    server.config("socialhandles", details["instanceDetails"]["socialHandles"])
    server.config("s3", details["s3"])
    server.config("externalactions", details["externalActions"])
    server.config("tags", details["instanceDetails"]["tags"])
    server.config("video/streamlatencylevel", details["videoSettings"]["latencyLevel"])
    for kind in ("browser", "discord"):
        server.config(f"notifications/{kind}", details["notifications"][kind])
    status, headers, _ = server.ask("GET", "/api/admin/status")
    assert status == 401 and headers["WWW-Authenticate"].startswith("Basic realm="), headers


def directory(server):
    """Lists whoever wants to be listed, with the fields that it shows."""
    status, _, body = server.ask("GET", "/api/yp")
    assert status == 404 and body == b"", (status, body)
    server.config("directoryenabled", True)
    listing = server.read("/api/yp")
    for name, kind in {
        "name": str, "description": str, "logo": str, "tags": list, "social": list,
        "viewerCount": int, "overallMaxViewerCount": int, "sessionMaxViewerCount": int,
        "nsfw": bool, "online": bool,
    }.items():
        assert isinstance(listing[name], kind), f"{name}: {listing}"
    assert listing["lastConnectTime"] is None or isinstance(listing["lastConnectTime"], str)
    for path in (listing["logo"], "/thumbnail.jpg"):
        status, headers, body = server.ask("GET", path)
        assert status == 200 and headers["Content-Type"].startswith("image/"), (path, headers)
    status, headers, _ = server.ask("GET", "/api/config")
    assert headers["Access-Control-Allow-Origin"] == "*", headers
    status, headers, _ = server.ask("GET", "/api/status")
    assert headers["Access-Control-Allow-Origin"] is None, headers


def widget(server):
    """On a desktop or in a browser's bar: who is live, with how many viewers, since when."""
    status = server.read("/api/status")
    for name, kind in {"serverTime": str, "versionNumber": str, "streamTitle": str, "online": bool}.items():
        assert isinstance(status[name], kind), f"{name}: {status}"
    for name in ("lastConnectTime", "lastDisconnectTime"):
        assert status[name] is None or isinstance(status[name], str), f"{name}: {status}"
    config = server.read("/api/config")
    assert isinstance(config["name"], str) and isinstance(config["summary"], str), config
    assert isinstance(config["tags"], list) and config["logo"] == "/logo", config
    for handle in config["socialHandles"]:
        status, headers, _ = server.ask("GET", handle["icon"])
        assert status == 200 and headers["Content-Type"].startswith("image/"), handle
    platforms = server.read("/api/socialplatforms")
    assert set(platforms["twitter"]) == {"platform", "icon"} and len(platforms) == 30, platforms
    for variant in server.read("/api/video/variants"):
        assert isinstance(variant["name"], str) and isinstance(variant["index"], int), variant
    status, _, body = server.ask("GET", "/api/ping")
    assert status == 200 and body == b"", (status, body)


def automation(server):
    """A script that sets a server up; one of them sends the header against forged requests already."""
    marked = {"X-Owncast-CSRF-Protection": "1", "Content-Type": "application/json"}
    body = {"value": [{"platform": "github", "url": "https://github.com/example"}]}
    status, _, answer = server.ask("POST", "/api/admin/config/socialhandles", body, True, marked)
    assert status == 200 and json.loads(answer)["success"] is True, answer
    # Failure is 400 and `success` false, whatever went wrong.
    for path, body in (("config/tags", {"value": "art"}), ("config/tags", {}), ("emoji/delete", {"name": "nosuch"})):
        status, _, answer = server.ask("POST", f"/api/admin/{path}", body, True)
        answer = json.loads(answer)
        assert status == 400 and answer["success"] is False and answer["message"], (path, status, answer)
    # By the method of either version; nobody is on air.
    for method in ("GET", "POST"):
        status, _, answer = server.ask(method, "/api/admin/disconnect", admin=True)
        assert status == 400 and json.loads(answer)["success"] is False, (method, status, answer)
        status, _, _ = server.ask(method, "/api/admin/yp/reset", admin=True)
        assert status == 200, (method, status)
    # Only pages of other sites are turned away.
    foreign = {"Origin": "https://evil.example"}
    status, headers, _ = server.ask("GET", "/api/admin/serverconfig", None, True, foreign)
    assert status == 403 and headers["Access-Control-Allow-Origin"] is None, (status, headers)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags = {}

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        name = attributes.get("property") or attributes.get("name")
        if tag == "meta" and name and "content" in attributes:
            self.tags.setdefault(name, []).append(attributes["content"])


def preview(server):
    """Shows a link as a card with title, picture and player."""
    server.config("name", 'Tom & "Jerry" <live>')
    status, headers, body = server.ask("GET", "/", headers={"User-Agent": "Mastodon/4.3 (http.rb; +https://example.org/)"})
    assert status == 200 and headers["Content-Type"].startswith("text/html"), (status, headers)
    page = Tags()
    page.feed(body.decode())
    tags = page.tags
    assert tags["og:site_name"] == ['Tom & "Jerry" <live>'], tags
    for name in ("og:title", "og:url", "og:description", "og:type", "og:image", "og:video", "twitter:card", "twitter:title"):
        assert tags[name][0], f"{name}: {tags}"
    for name in ("og:image", "og:video"):
        address = urllib.parse.urlsplit(tags[name][0])
        assert address.netloc == urllib.parse.urlsplit(server.url).netloc, (name, tags)
        status, headers, _ = server.ask("GET", address.path)
        kind = "image/" if name == "og:image" else "text/html"
        assert status == 200 and headers["Content-Type"].startswith(kind), (name, headers)


def player(server):
    """Was given the address of the page and finds the stream."""
    for agent in ("VLC/3.0.21 LibVLC/3.0.21", "mpv 0.38.0", "AppleCoreMedia/1.0.0"):
        status, headers, _ = server.ask("GET", "/", headers={"User-Agent": agent})
        assert status == 307 and headers["Location"] == "/hls/stream.m3u8", (agent, status, headers)
    status, headers, _ = server.ask("GET", "/hls/stream.m3u8")
    assert status in (200, 404) and headers["Access-Control-Allow-Origin"] == "*", (status, headers)


if __name__ == "__main__":
    server = Server(sys.argv[1], sys.argv[2])
    for client in (deck, automation, widget, directory, preview, player):
        client(server)
    print("all clients are content")
