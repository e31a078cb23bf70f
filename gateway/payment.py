"""The payment service: what it is told of a top-up, what it answers later, and how either knows the other.

Both directions are signed alike: HMAC-SHA256 over the time, a dot and the body, with a secret that only the two have.
Invariant: what is not signed, or was signed more than five minutes ago, is nobody's word; which fields an order and an
answer have differs, so neither can be sent back as the other.
"""

import hmac
import http.client
import json
import re
import ssl
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlsplit

TIMESTAMP, SIGNATURE = "X-Smppgate-Timestamp", "X-Smppgate-Signature"
VERSION = "v1="
SECONDS = re.compile(r"[0-9]{1,12}")
TOLERANCE = 300
"""Seconds that a signature is good for, and that the two clocks may differ."""
LONGEST = 4096
"""Octets of an answer."""
TIMEOUT = 10.0
SHOWN = 200


class Payment(NamedTuple):
    """Where it is, and the secret shared with it."""

    url: str
    secret: str

    def signature(self, timestamp: str, body: bytes) -> str:
        told = timestamp.encode("ascii", "replace") + b"." + body
        return VERSION + hmac.new(self.secret.encode(), told, sha256).hexdigest()

    def objection(self, timestamp: str, signature: str, body: bytes, now: float) -> str | None:
        """Why this is not its word; None if it is."""
        expected = self.signature(timestamp, body)
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            return f"{SIGNATURE} is not {VERSION}HMAC-SHA256(secret, timestamp.body)"
        if not SECONDS.fullmatch(timestamp) or abs(now - int(timestamp)) > TOLERANCE:
            return f"{TIMESTAMP} is more than {TOLERANCE} seconds from now"
        return None

    def order(self, content: dict[str, Any], now: float) -> tuple[bool, str]:
        """Tell it; this waits, so it belongs on a thread. -> whether it was taken, and what was answered."""
        body, timestamp = json.dumps(content, ensure_ascii=False).encode(), str(int(now))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f"topup-{content['id']}",
            TIMESTAMP: timestamp,
            SIGNATURE: self.signature(timestamp, body),
        }
        where = urlsplit(self.url)
        path = (where.path or "/") + (f"?{where.query}" if where.query else "")
        connection = self._connection(where.scheme, where.hostname or "", where.port)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            said = answer.read(LONGEST).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            return False, (str(error) or type(error).__name__)[:SHOWN]
        finally:
            connection.close()
        shown = "".join(filter(str.isprintable, f"{answer.status} {said}")).strip()
        return 200 <= answer.status < 300, shown[:SHOWN]

    @staticmethod
    def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        if scheme == "https":
            return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=ssl.create_default_context())
        return http.client.HTTPConnection(host, port, timeout=TIMEOUT)
