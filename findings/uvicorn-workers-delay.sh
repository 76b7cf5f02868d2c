#!/usr/bin/env bash
# uvicorn 0.54: a server with several workers, or on a socket that it is handed, leaves Nagle's algorithm on.
#
# One would guess that connections are set up alike however the server was started. With one worker asyncio makes the
# socket, and each connection has TCP_NODELAY. Otherwise uvicorn, or the caller by socket.create_server, makes it without
# naming its protocol; asyncio (Python 3.11 to 3.13) sets the option only where the protocol is named, and an answer
# written in two pieces waits for the client's acknowledgement.

set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3.11 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --quiet uvicorn==0.54.0 h11==0.16.0
cd "$folder"
venv/bin/python - <<'END'
import asyncio
import socket
import urllib.request

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

seen = []


class Noting(H11Protocol):
    def connection_made(self, transport):
        own = transport.get_extra_info("socket")
        seen.append(bool(own.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
        super().connection_made(transport)


async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"yes"})


def free():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def asked(made):
    port = free()
    config = uvicorn.Config(app, port=port, http=Noting, lifespan="off", log_level="error")
    sockets = {"own": lambda: None, "bound": lambda: [config.bind_socket()], "given": lambda: [given(port)]}[made]()
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve(sockets))
    while not server.started:
        await asyncio.sleep(0.01)
    await asyncio.to_thread(lambda: urllib.request.urlopen(f"http://127.0.0.1:{port}").read())
    server.should_exit = True
    await running
    return seen.pop()


def given(port):
    return socket.create_server(("127.0.0.1", port))


found = {made: asyncio.run(asked(made)) for made in ("own", "bound", "given")}
print("TCP_NODELAY of a connection, by who made the listening socket:", found)
assert found == {"own": True, "bound": False, "given": False}
END
