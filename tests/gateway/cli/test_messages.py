"""What is remembered is found however much was refused since."""

from pathlib import Path
from typing import Any

from gateway.cli.client import Client
from gateway.cli.messages import remembered


class Answering(Client):
    """Tells what it has for each page, and notes what it was asked."""

    def __init__(self, *pages: dict[str, Any]) -> None:
        super().__init__(Path())
        self.pages, self.asked = list(pages), list[object]()

    def get(self, *steps: object, **query: object) -> Any:
        self.asked.append(query.get("before"))
        return self.pages.pop(0)


def test_older_refusals_are_looked_through_until_one_fits() -> None:
    first = {"messages": [], "refusals": [], "next": 300}
    client = Answering(first, {"items": [], "next": 200}, {"items": [{"id": 150}], "next": 100})
    assert remembered(client, "10.0.0.9") == {"messages": [], "refusals": [{"id": 150}], "next": 100}
    assert client.asked == [None, 300, 200]


def test_nothing_is_looked_through_where_something_is_known_or_nothing_is_left() -> None:
    known = {"messages": [{"message_id": "1"}], "refusals": [], "next": 300}
    for found in (known, {**known, "messages": [], "next": None}):
        assert remembered(Answering(found), "1") == found
