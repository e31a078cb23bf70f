"""What customers need to know of the gateway to reach it, and what operators look at to see how it fares."""

import sqlite3
import sys
from importlib.metadata import version
from typing import Any

from acl.reasons import REASONS
from gateway.network.simulator import Rule, Rules

from .actor import Actor
from .office import Office


class Service:
    def __init__(self, office: Office, _actor: Actor) -> None:
        self._office = office

    def _told(self) -> dict[str, Any]:
        return self._office.live.service() if self._office.live else {}

    def endpoints(self, host: str = "") -> dict[str, str | None]:
        """`secured` and `unsecured` as host:port; None where nothing listens. `host` where none is configured."""
        told = self._told()
        name = told.get("public_host") or host
        shown = f"[{name}]" if ":" in name else name
        ports: dict[str, list[int]] = told.get("ports", {})
        return {
            kind: f"{shown}:{ports[kind][0]}" if ports.get(kind) and name else None for kind in ("secured", "unsecured")
        }

    def simulator(self) -> dict[str, Any]:
        """What becomes of messages by their destination; the first rule that fits decides."""
        return dict(self._told().get("simulator", {"delay": None, "rules": []}))

    def simulated(self, number: str) -> dict[str, Any]:
        """What would become of a message to this number: `rule` counts from 1; None where no rule fits."""
        told = self.simulator()
        rules = [Rule(**rule) for rule in told["rules"]]
        at = Rules(rules)[number.encode("ascii")]
        rule = rules[at] if at < len(rules) else Rule("*")
        return {
            "number": number,
            "rule": at + 1 if at < len(rules) else None,
            "state": rule.state,
            "error": rule.error,
            "delay": told["delay"] if rule.delay is None else rule.delay,
        }

    def refusals(self) -> list[dict[str, Any]]:
        """By reason, most frequent first, since the gateway started."""
        counted: dict[str, int] = self._told().get("refusals", {})
        return [
            {"reason": reason, "why": REASONS.get(reason, reason), "count": count}
            for reason, count in sorted(counted.items(), key=lambda item: -item[1])
        ]

    def condition(self) -> dict[str, Any]:
        """Of the running process; what the books say is `Health`'s."""
        told = self._told()
        return {
            "running": self._office.live is not None,
            "unready": told.get("unready", []),
            "loop_lag": told.get("loop_lag"),
            "commits": told.get("commits"),
            "versions": {
                "smppgate": version("smppgate"),
                "python": sys.version.split()[0],
                "sqlite": sqlite3.sqlite_version,
            },
        }
