"""The command line as a client of the HTTP API: over the socket of a running server, else the same API in this process.

Invariant: the database is opened only under its lock, so never beside a running server. One road for both cases.
"""

import http.client
import json
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from .whereabouts import FAILED, MISSING, USAGE, Failure

PATIENCE = 5.0  # seconds for a server that is just starting or stopping, or another command that holds the lock
TIMEOUT = 120.0  # an audit of a large store takes its time
CODES = {HTTPStatus.NOT_FOUND: MISSING, HTTPStatus.CONFLICT: MISSING, HTTPStatus.UNPROCESSABLE_ENTITY: USAGE}


class Client:
    def __init__(
        self,
        data_dir: Path,
        node: int = 0,
        *,
        create: bool = False,
        mail: bool = False,
        url: str = "",
        timeout: float = TIMEOUT,
    ) -> None:
        """`mail`: a mail server is configured, so what is to be mailed waits for the server to start. `url`: where the
        panel is found, for links."""
        self.data_dir, self._node, self._create, self._mail, self._url = data_dir, node, create, mail, url
        self._timeout = timeout

    def get(self, *steps: object, **query: object) -> Any:
        return json.loads(self.read("GET", *steps, **query))

    def post(self, *steps: object, body: object = None) -> Any:
        """None if there is nothing to say."""
        return json.loads(self.read("POST", *steps, body=body) or "null")

    def patch(self, *steps: object, body: object) -> Any:
        return json.loads(self.read("PATCH", *steps, body=body))

    def put(self, *steps: object, body: object) -> Any:
        return json.loads(self.read("PUT", *steps, body=body))

    def delete(self, *steps: object) -> Any:
        """None if there is nothing to say."""
        return json.loads(self.read("DELETE", *steps) or "null")

    def upload(self, *steps: object, octets: bytes, **query: object) -> Any:
        """POST a file as it is."""
        return json.loads(self._answer("POST", steps, octets, query))

    def read(self, method: str, *steps: object, body: object = None, **query: object) -> bytes:
        """The answer as it came; a Failure if the API says no."""
        return self._answer(method, steps, b"" if body is None else json.dumps(body).encode(), query)

    def _answer(self, method: str, steps: tuple[object, ...], body: bytes, query: dict[str, object]) -> bytes:
        path = "/api/v1/" + "/".join(quote(str(step), safe="") for step in steps)
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        status, octets = self._ask(method, path, asked, body)
        if status >= HTTPStatus.BAD_REQUEST:
            raise refused(status, octets)
        return octets

    def server_answers(self) -> bool:
        from gateway.web.unix import NAME, connect

        try:
            connect(self.data_dir / NAME, TIMEOUT).close()
        except OSError:
            return False
        return True

    def has_store(self) -> bool:
        from store.files import DATABASE

        return (self.data_dir / DATABASE).exists()

    def _ask(self, method: str, path: str, query: str, body: bytes) -> tuple[int, bytes]:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return over_socket(self.data_dir, self._timeout, method, path, query, body)
            except (FileNotFoundError, ConnectionRefusedError):
                pass  # nobody listens: the server is stopped
            try:
                return self._in_process(method, path, query, body)
            except Locked:
                if time.monotonic() > deadline:
                    raise Failure(LOCKED.format(folder=self.data_dir)) from None
            time.sleep(0.05)

    def _in_process(self, method: str, path: str, query: str, body: bytes) -> tuple[int, bytes]:
        import asyncio

        from store.protocol import StoreError, StoreLocked

        if not self._create and not self.has_store():
            raise Failure(EMPTY.format(folder=self.data_dir))
        try:
            return asyncio.run(in_process(self.data_dir, self._node, self._mail, self._url, method, path, query, body))
        except StoreLocked:
            raise Locked from None
        except (StoreError, OSError) as error:
            raise Failure(f"the store in {self.data_dir} cannot be opened: {error}{advice(error)}") from None


class Locked(Exception):  # noqa: N818 - somebody else is at work: wait
    pass


LOCKED = """{folder} is locked by another process, but no server answers there
  A server that is starting or stopping answers again in a moment; look for it with: fuser {folder}/lock"""
DAMAGED = """
  Nothing was changed. Keep a copy of the folder, move smppgate.db and what begins like it away, then
  `smppgate restore BACKUP`"""
UNREADABLE = """
  A disk that cannot be read looks like this, too. If the kernel's log tells of errors, mend it first and look again"""
EMPTY = """there is no store in {folder}
  `smppgate quickstart`, `serve` or `account add` makes one; --data-dir or --config names another folder"""


def advice(error: Exception) -> str:
    """What to do about a store that is refused, if anything can be."""
    from store.failures import is_damage
    from store.protocol import StoreDamaged

    if is_damage(error.__cause__):
        return UNREADABLE + DAMAGED
    return DAMAGED if isinstance(error, StoreDamaged) else ""


def over_socket(data_dir: Path, timeout: float, method: str, path: str, query: str, body: bytes) -> tuple[int, bytes]:
    from gateway.web.unix import NAME, connect

    try:
        sock = connect(data_dir / NAME, timeout)
    except PermissionError:
        raise Failure(f"{data_dir / NAME} belongs to another user; run this as the user the server runs as") from None
    connection = http.client.HTTPConnection("gateway")
    connection.sock = sock
    try:
        connection.request(method, f"{path}?{query}", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException) as error:
        done = "nothing was changed" if method == "GET" else "it may have done it or not, look before you repeat"
        raise Failure(f"the server stopped answering ({error!r}); {done}") from None
    finally:
        connection.close()


async def in_process(
    data_dir: Path, node: int, mail: bool, url: str, method: str, path: str, query: str, body: bytes
) -> tuple[int, bytes]:
    from gateway import log
    from gateway.admin import Admin
    from gateway.admin.exports import FOLDER
    from gateway.ids import Minter
    from gateway.mail.post import Post
    from gateway.web.access import LocalAccess
    from gateway.web.api import create_api
    from store import open_store

    from .asgi import ask

    log.setup("warning")
    async with open_store(data_dir) as store:
        post = Post(store, lambda: int(time.time() * 1000), lambda: None) if mail else None
        minter, exports = Minter(node, await store.last_id()), data_dir / FOLDER
        admin = Admin(store, minter, time.time, mail=post, url=url, exports=exports)
        return await ask(create_api(admin, LocalAccess()), method, path, query, body)


def refused(status: int, octets: bytes) -> Failure:
    """A problem document as a sentence and an exit code."""
    code = CODES.get(HTTPStatus(status), FAILED)
    try:
        problem = json.loads(octets)
    except ValueError:
        return Failure(f"the server answered {status} and no reason", code)
    errors = problem.get("errors")
    if errors and len(errors) > 1:
        return Failure("\n".join(["", *(f"  {error['field']}: {error['reason']}" for error in errors)]), code)
    return Failure(str(problem.get("detail", status)), code)
