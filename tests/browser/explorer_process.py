"""What the browser's tests share: an explorer to visit, and a person's hands and eyes."""

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from urllib.parse import parse_qs, urlsplit

import numpy as np
import uvicorn

from narrows.web.server import create_app

PATIENT = 90_000
"""Milliseconds to wait for what is sure to come, on a slow machine that has other work."""

VIEWS = ["plane", "code", "input", "noise", "compare", "check"]

# Counts the questions of a page that wait for an answer (one that goes with its connection waits for none), and knows
# whether the address has yet to follow what is drawn, which takes 250 ms, and what is repeated in time.
WATCHING = """{
  window.unanswered = 0;
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (text) {
    if (this.asked === undefined) {
      this.asked = 0;
      this.addEventListener('message', () => { this.asked--; window.unanswered--; });
      this.addEventListener('close', () => { window.unanswered -= this.asked; this.asked = 0; });
    }
    this.asked++;
    window.unanswered++;
    send.call(this, text);
  };
  const { setTimeout: once, clearTimeout: never, setInterval: each, clearInterval: end } = window;
  window.unwritten = new Map();
  window.setTimeout = (work, time, ...given) => {
    const id = once(() => { window.unwritten.delete(id); work(...given); }, time);
    if (time === 250) window.unwritten.set(id, work);
    return id;
  };
  window.clearTimeout = (id) => { window.unwritten.delete(id); never(id); };
  window.repeated = new Map();
  window.setInterval = (work, time) => {
    const id = each(work, time);
    window.repeated.set(id, work);
    return id;
  };
  window.clearInterval = (id) => { window.repeated.delete(id); end(id); };
}"""
SETTLING = """async () => {
  const until = performance.now() + 90000;
  for (let quiet = 0; quiet < 2; ) {
    if (performance.now() > until) throw new Error(`${window.unanswered} questions are not answered`);
    await new Promise(requestAnimationFrame);
    quiet = window.unanswered || window.unwritten.size ? 0 : quiet + 1;
    if (!window.unanswered)
      for (const [id, write] of window.unwritten) {
        clearTimeout(id);
        write(); // as it would be by itself a moment later
      }
  }
}"""


class Explorer:
    """`narrows explore` as a process; `address` is what it printed."""

    def __init__(self, *arguments):
        command = [sys.executable, "-m", "narrows", "explore", "--no-browser", *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)
        self.process.stdout.readline()
        self.address = self.process.stdout.readline().strip()

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENT / 1000)
        self.process.stdout.close()


@contextmanager
def served(library):
    """Let an explorer of ``library`` answer, in a thread; the value is its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    host = f"127.0.0.1:{listener.getsockname()[1]}"
    with serving(library, listener, host):
        yield f"http://{host}/?token=token"


@contextmanager
def serving(library, listener, host):
    """Let an explorer of ``library`` answer at ``listener``, in a thread, to whoever calls it ``host``."""
    config = uvicorn.Config(
        create_app(library, "token", frozenset({host})),
        log_level="critical",
        lifespan="off",
        ws="websockets-sansio",
        timeout_graceful_shutdown=PATIENT // 1000,  # connections cut off before would be told of in a later test
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield
    server.should_exit = True
    thread.join()


def pixels(canvas):
    """Return what a canvas shows, (h, w, 4)."""
    data = canvas.evaluate(
        "c => [c.width, c.height, Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data)]"
    )
    return np.array(data[2], np.uint8).reshape(data[1], data[0], 4)


def settle(page):
    """Wait until what the page asked is answered and drawn, and its address says so."""
    page.evaluate(SETTLING)


def let_time_pass(page):
    """Do what the page does at intervals, once and at once, and wait until it is done."""
    page.evaluate("[...window.repeated.values()].forEach(work => work())")
    settle(page)


def state(page):
    """Return what the address says, once it has been written."""
    settle(page)
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).fragment).items()}


def go_to(page, address, view=None):
    """Open a view by its address, and wait until it is drawn, also where another is shown so far."""
    page.evaluate(
        "url => { if (location.href !== new URL(url).href) delete document.documentElement.dataset.ready; }", address
    )
    page.goto(address)
    page.locator(f"html[data-ready={view}]" if view else "html[data-ready]").wait_for()
    settle(page)


def waits_until(page, holds):
    """Say whether something comes to hold."""
    until = time.monotonic() + PATIENT / 1000
    while not (held := holds()) and time.monotonic() < until:
        page.wait_for_timeout(20)
    return held


def changes(page, canvas, before):
    return waits_until(page, lambda: not np.array_equal(pixels(canvas), before))


def drag(page, element, *points):
    """Press at the first of the points, in fractions of the element's size, and let go at the last."""
    box = element.bounding_box()
    for i, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=6 if i else 1)
        if i == 0:
            page.mouse.down()
    page.mouse.up()


class Cable:
    """A way to the explorer that can be pulled out and put back; the browser sees only its end."""

    def __init__(self, port):
        self.port, self.plugged, self.open = port, True, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = self.reached() if self.plugged else None
            if far is None:
                near.close()
                continue
            self.open += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(a, b), daemon=True).start()

    def reached(self):
        try:
            return socket.create_connection(("127.0.0.1", self.port))
        except ConnectionRefusedError:  # the explorer has ended, and the page tries again
            return None

    @staticmethod
    def carry(a, b):
        with suppress(OSError):
            while data := a.recv(65536):
                b.sendall(data)
        for end in (a, b):
            end.close()

    @property
    def host(self):
        return f"127.0.0.1:{self.listener.getsockname()[1]}"

    def plug(self):
        self.plugged = True

    def pull(self):
        self.plugged = False
        for end in self.open:
            with suppress(OSError):  # it is closed already
                end.shutdown(socket.SHUT_RDWR)
        self.open.clear()
