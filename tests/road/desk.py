"""The operator of a running server, without waiting for a command line to start: the API on the folder's socket."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import quote, urlencode

from gateway.web.unix import NAME, connect
from tests.server import HOST, PATIENCE, Login, Server

DEFAULTS: dict[str, Any] = {"addresses": [HOST], "senders": ["*"], "throughput": 0, "credits": "1000"}


class Refused(Exception):
    """The API said no."""

    def __init__(self, status: int, problem: Any) -> None:
        super().__init__(f"{status}: {problem}")
        self.status, self.problem = status, problem


class Desk:
    """One request, one connection."""

    def __init__(self, server: Server) -> None:
        self._path = server.data / NAME

    def ask(self, method: str, *steps: object, body: object = None, **query: object) -> Any:
        path = "/api/v1/" + "/".join(quote(str(step), safe="") for step in steps)
        connection = http.client.HTTPConnection("gateway")
        connection.sock = connect(self._path, PATIENCE)
        try:
            octets = None if body is None else json.dumps(body).encode()
            connection.request(method, f"{path}?{urlencode(query)}", octets, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            said = json.loads(answer.read() or b"null")
        finally:
            connection.close()
        if answer.status >= 400:
            raise Refused(answer.status, said)
        return said

    # -- accounts --------------------------------------------------------------------------------------------------
    def account(self, name: str, **settings: Any) -> Login:
        """A customer on this machine who may send as anybody, as fast as it can."""
        made = self.ask("POST", "accounts", body={"name": name, **DEFAULTS, **settings})
        return Login(made["name"], made["system_id"], made["password"])

    def change(self, login: Login, **settings: Any) -> Any:
        return self.ask("PATCH", "accounts", login.name, body=settings)

    def show(self, login: Login) -> Any:
        return self.ask("GET", "accounts", login.name)

    def top_up(self, login: Login, amount: object, request_id: str | None = None) -> Any:
        return self.ask(
            "POST", "accounts", login.name, "credits", body={"amount": amount, "request_id": request_id}
        )

    def balance(self, login: Login) -> str:
        return str(self.show(login)["balance"])

    def topups(self, login: Login) -> list[Any]:
        found: list[Any] = self.ask("GET", "accounts", login.name, "topups")["items"]
        return found

    def prices(self, plan: str, **prices: str) -> Any:
        """`n48="0.5"` for a prefix, `rest="1"` for all other destinations."""
        named = {("*" if name == "rest" else name.removeprefix("n")): price for name, price in prices.items()}
        return self.ask("PUT", "price-plans", plan, body={"prices": named})

    # -- traffic ---------------------------------------------------------------------------------------------------
    def binds(self, login: Login | None = None) -> list[Any]:
        found: list[Any] = self.ask("GET", "binds", **({"account": login.name} if login else {}))["items"]
        return found

    def export(self, login: Login) -> Any:
        return self.ask("GET", "accounts", login.name, "export")

    def messages(self, login: Login, message_id: str) -> list[Any]:
        found: list[Any] = self.ask("GET", "accounts", login.name, "messages", message_id)["items"]
        return found

    def ledger(self, login: Login) -> list[Any]:
        found: list[Any] = self.ask("GET", "accounts", login.name, "ledger", limit=1000)["items"]
        return found

    def refusals(self, login: Login | None = None) -> list[Any]:
        found: list[Any] = self.ask("GET", "refusals", **({"account": login.name} if login else {}))["items"]
        return found

    def incoming(self, origin: str, to: str, text: str, account: str | None = None) -> Any:
        return self.ask("POST", "mo", body={"from": origin, "to": to, "text": text, "account": account})

    def audited(self) -> None:
        """The books are right."""
        found = self.ask("GET", "audit")
        assert found["ok"], found
        assert found["imbalance"] in ("0", 0), found
