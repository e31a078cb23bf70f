"""A form as it was filled in: what was typed is kept, and every fault stands at its field.

Invariant: a form never judges; it shows what the desk said of it.
"""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request

from gateway.admin import Fault

from .words import said

MOST_FIELDS, MOST_FILES = 1_500, 20


class Form:
    """`values` are what stands in the fields: stored values at first, then what was typed."""

    def __init__(self, values: Mapping[str, Any] | FormData | None = None, fault: Fault | None = None) -> None:
        self.values: Mapping[str, Any] = {} if values is None else values
        self.fault = fault
        self._errors: dict[str, str] = {}
        for wrong in fault.errors if fault is not None else ():
            before = f"{self._errors[wrong.field]}; " if wrong.field in self._errors else ""
            self._errors[wrong.field] = before + said(wrong.reason)

    def value(self, name: str, default: Any = "") -> Any:
        found = self.values.get(name)
        return default if found is None else found

    def many(self, name: str) -> list[str]:
        """Of a field that stands there several times, such as check boxes."""
        if isinstance(self.values, FormData):
            return [value for value in self.values.getlist(name) if isinstance(value, str)]
        found = self.values.get(name, ())
        return [found] if isinstance(found, str) else [str(each) for each in found]

    def error(self, name: str) -> str | None:
        return self._errors.get(name)

    def rest(self, *shown: str) -> list[str]:
        """What is wrong with no field of those that are shown."""
        if self.fault is None:
            return []
        if not self._errors:
            return [said(self.fault.detail)]
        return [f"{name}: {why}" for name, why in self._errors.items() if name not in shown]


async def typed(request: Request) -> FormData:
    """What was posted; several fields of one name are all there."""
    return await request.form(max_fields=MOST_FIELDS, max_files=MOST_FILES)


def text(form: FormData, name: str) -> str:
    found = form.get(name, "")
    return found.strip() if isinstance(found, str) else ""


def whole(form: FormData, name: str) -> str:
    """A password as it was typed, blanks and all."""
    found = form.get(name, "")
    return found if isinstance(found, str) else ""
