"""The table of settings as JSON schema, so the API's description cannot differ from what is checked."""

from typing import Any

from acl.kinds import Setting
from acl.settings import SETTINGS

INTEGERS = {"type": "integer"}
STRINGS = {"type": "string"}


def schema_of(setting: Setting) -> dict[str, Any]:
    item: dict[str, Any] = dict(INTEGERS if setting.kind in ("integer", "statuses") else STRINGS)
    if setting.kind == "integer":
        item |= {"minimum": setting.minimum, "maximum": setting.maximum}
    if setting.choices:
        item["enum"] = list(setting.choices)
    if setting.kind == "statuses":
        item = {"type": "object", "additionalProperties": item}
    elif setting.many:
        item = {"type": "array", "items": item}
    unit = f" ({setting.unit})" if setting.unit else ""
    return {**item, "description": setting.help + unit, "default": setting.plain(setting.default)}


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def body(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    schema = {"type": "object", "additionalProperties": False, "required": required, "properties": properties}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


PROPERTIES = {setting.name: schema_of(setting) for setting in SETTINGS}
ACCOUNT_CHANGE = body({name: nullable(schema) for name, schema in PROPERTIES.items()}, [])
ACCOUNT_NEW = body(
    {
        "name": {**STRINGS, "description": 'Begins with "smpp-", which is added if it is missing'},
        "system_id": {**STRINGS, "description": "At most 15 characters fit into a bind; made if missing"},
        "password": {**STRINGS, "description": "At most 8 characters fit into a bind; made if missing"},
        "credits": {**STRINGS, "description": "The first topup"},
        **PROPERTIES,
    },
    ["name"],
)
