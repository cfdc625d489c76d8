"""Two clients of Owncast's API, written from its description alone and knowing nothing of Riverrun:
a stream deck (Basic credentials, as scripts have them) and the public directory's reader.

    clients.py http://127.0.0.1:8080 PASSWORD
"""

import base64
import json
import sys
import urllib.error
import urllib.request


class Server:
    def __init__(self, url, password):
        self.url = url
        token = base64.b64encode(f"admin:{password}".encode()).decode()
        self.credentials = {"Authorization": f"Basic {token}"}

    def ask(self, method, path, body=None, admin=False):
        headers = dict(self.credentials) if admin else {}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
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


if __name__ == "__main__":
    server = Server(sys.argv[1], sys.argv[2])
    deck(server)
    directory(server)
    print("both clients are content")
