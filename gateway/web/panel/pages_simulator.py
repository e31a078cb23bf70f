"""The simulator's table of rules, and what would become of a message to a number. The rules stand in the configuration:
here they are shown, tried, and written as the configuration has them."""

import json
import re
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.web.access import Oversees

from .pages_history import word
from .rendering import page

NUMBER = re.compile(r"\+?[0-9]{1,20}")
routes = APIRouter()


@routes.get("/simulator")
async def show_simulator(request: Request, desk: Oversees, number: str = "") -> Response:
    table = desk.service.simulator()
    typed = number.strip().replace(" ", "")
    tried = desk.service.simulated(typed) if NUMBER.fullmatch(typed) else None
    return page(
        request,
        "simulator.html",
        status=200 if tried or not typed else 422,
        table=table,
        number=number.strip()[:64],
        tried=tried,
        word=word,
        section=section(table),
    )


def section(table: Mapping[str, Any]) -> str:
    """As config.toml has it."""
    lines = ["[simulator]", f"delay = {table['delay']}", "rules = ["]
    for rule in table["rules"]:
        fields = ", ".join(f"{name} = {json.dumps(value)}" for name, value in rule.items() if value is not None)
        lines.append(f"  {{ {fields} }},")
    return "\n".join([*lines, "]"])
