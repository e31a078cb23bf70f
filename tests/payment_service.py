"""A payment service on a loopback port: remembers what it is told, and answers as it is asked to."""

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from gateway.payment import SIGNATURE, TIMESTAMP, Payment

SAID = b"noted\x1b[31m"
SECRET = "what only the two of them know"


class Service:
    def __init__(self, port: int) -> None:
        self.payment = Payment(f"http://127.0.0.1:{port}/orders?v=1", SECRET)
        self.orders: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.answers: list[int] = []  # statuses of the next answers; then 202
        self.clock: Callable[[], float] = time.time

    def hear(self, path: str, headers: Any, body: bytes) -> int:
        assert self.payment.objection(headers[TIMESTAMP], headers[SIGNATURE], body, self.clock()) is None
        order = json.loads(body)
        assert headers["Idempotency-Key"] == f"topup-{order['id']}"
        self.orders.append(order)
        self.paths.append(path)
        return self.answers.pop(0) if self.answers else 202

    def call_back(self, port: int, status: str = "paid", **instead: Any) -> tuple[int, Any]:
        """Answer the last order on the gateway's public listener. -> status and what it said."""
        last = self.orders[-1]
        body = json.dumps({"id": last["id"], "status": status, "credits": last["credits"], **instead}).encode()
        now = str(int(self.clock()))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            headers = {TIMESTAMP: now, SIGNATURE: self.payment.signature(now, body)}
            connection.request("POST", "/api/v1/payments/callback", body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@contextmanager
def payment_service() -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(service.hear(self.path, self.headers, body))
            self.end_headers()
            self.wfile.write(SAID)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service = Service(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield service
        finally:
            server.shutdown()
            thread.join()
