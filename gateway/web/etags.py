"""Settings are changed by who has seen them: ETag says which version was read, If-Match brings it back.

Invariant: a change that was decided on other settings than those that are there changes nothing (412), and one that
does not say what it was decided on is refused (428), except from the command line. `*` means whatever is there. What
adds or takes away one thing by its name, such as an address, overwrites nobody's decision: it may say what it was
decided on, and need not.
"""

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Header, Response

from gateway.admin import Desk, Fault

from .problems import MEDIA_TYPE

DECIDED_ON = "The ETag of the settings this was decided on; * for whatever is there"
IfMatch = Annotated[str | None, Header(description=DECIDED_ON)]
ETAG: dict[str, Any] = {
    "headers": {"ETag": {"description": "The version of the settings", "schema": {"type": "string"}}}
}
WHY = {412: "The settings were changed since they were read", 428: "If-Match is missing"}
Responses = dict[int | str, dict[str, Any]]
CONDITIONAL: Responses = {
    200: ETAG,
    **{
        status: {
            "description": why,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status, why in WHY.items()
    },
}
DELETED: Responses = {status: said for status, said in CONDITIONAL.items() if status != 200}
IF_SAID: Responses = {status: said for status, said in CONDITIONAL.items() if status != 428}


class Unconditional(Fault):
    """It does not say which version it was decided on."""

    status = HTTPStatus.PRECONDITION_REQUIRED


def seen(desk: Desk, if_match: str | None) -> str | None:
    """The version that the request was decided on; None for whatever is there."""
    if if_match is None and desk.actor.via != "cli":
        raise Unconditional("say by If-Match which version you have seen: its ETag, or * for whatever is there")
    return seen_if_said(if_match)


def seen_if_said(if_match: str | None) -> str | None:
    """For what need not say it."""
    return None if if_match is None or if_match.strip() == "*" else if_match.strip().strip('"')


async def mark(desk: Desk, response: Response, account: str) -> None:
    response.headers["ETag"] = f'"{await desk.accounts.version(account)}"'
