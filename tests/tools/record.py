#!/usr/bin/env python3
"""Records what a publisher sends: stands between it and a server, passes both directions on, keeps one.

    record.py LISTEN_PORT SERVER_PORT FILE

Takes one connection, then ends. The file is the publisher's TCP bytes, from C0 on, nothing added.
"""

import socket
import sys
import threading


def pump(source: socket.socket, sink: socket.socket, copy=None) -> None:
    """Passes bytes on until the source ends; the sink then sees the same end."""
    try:
        while block := source.recv(65536):
            if copy:
                copy.write(block)
            sink.sendall(block)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def main() -> None:
    listen_port, server_port, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    with socket.create_server(("127.0.0.1", listen_port)) as listener:
        print("recording", flush=True)
        publisher, _ = listener.accept()
    server = socket.create_connection(("127.0.0.1", server_port))
    with open(path, "wb") as copy:
        back = threading.Thread(target=pump, args=(server, publisher), daemon=True)
        back.start()
        pump(publisher, server, copy)
        back.join(timeout=5)


if __name__ == "__main__":
    main()
