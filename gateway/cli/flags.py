"""A flag for every setting of an account, made from the table of settings: nothing here knows any of them by name."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from acl.kinds import Setting
from acl.settings import BY_NAME, SETTINGS

F = TypeVar("F", bound=Callable[..., Any])


class SettingType(click.ParamType[Any]):
    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self.name = setting.kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return self._setting.parse(value) if isinstance(value, str) else value
        except ValueError as why:
            return self.fail(f"{value!r}: {why}", param, ctx)


def metavar(setting: Setting) -> str:
    if setting.choices:
        return "|".join(setting.choices)
    return {"integer": "N", "credits": "CREDITS", "network": "ADDRESS", "statuses": "REASON=STATUS"}.get(
        setting.kind, setting.kind.replace("one_", "").upper()
    )


def option(setting: Setting) -> click.Option:
    default = setting.text(setting.plain(setting.default) if not setting.many else setting.default)
    notes = [setting.unit] if setting.unit else []
    notes += [f"default {default}"] if default else []
    return click.Option(
        [setting.flag, setting.name],
        type=SettingType(setting),
        metavar=metavar(setting),
        multiple=repeated(setting),
        help=setting.help + (f" [{'; '.join(notes)}]" if notes else "") + (" Repeatable." if repeated(setting) else ""),
    )


def repeated(setting: Setting) -> bool:
    return setting.many or setting.kind == "statuses"


def setting_options(command: F) -> F:
    """Adds a flag for every setting to a command that takes **flags."""
    params: list[click.Parameter] = command.__dict__.setdefault("__click_params__", [])
    params[:0] = [option(setting) for setting in reversed(SETTINGS)]
    return command


def given(flags: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that were named on the command line, as the API takes them."""
    found: dict[str, Any] = {}
    for name, value in flags.items():
        setting = BY_NAME[name]
        if value is None or (repeated(setting) and not value):
            continue
        if setting.kind == "statuses":
            found[name] = {reason: status for each in value for reason, status in each.items()}
        elif setting.many:
            found[name] = list(dict.fromkeys(item for items in value for item in items))
        else:
            found[name] = setting.plain(value)
    return found
