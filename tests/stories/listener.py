"""A webhook endpoint of the story's own: it takes what is sent to it if the signature holds."""

from __future__ import annotations

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import stripe

PATIENCE = 20.0          # seconds that a delivery may take


class Listener:
    """Listens on a port of its own until the process ends."""

    def __init__(self) -> None:
        self.secret = ""
        self._types: list[str] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                event = stripe.Webhook.construct_event(body, self.headers["stripe-signature"], listener.secret)
                listener._types.append(event.type)
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def heard(self, many: int) -> list[str]:
        """The types that arrived since it was asked last, sorted; waits until there are as many."""
        end = time.monotonic() + PATIENCE
        while len(self._types) < many and time.monotonic() < end:
            time.sleep(0.02)
        found, self._types = sorted(self._types), []
        return found
