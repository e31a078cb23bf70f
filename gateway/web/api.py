"""The HTTP API: /api/v1, OpenAPI 3.1, problems by RFC 9457. Every route is one operation of the operator's desk."""

import asyncio
import json

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.requests import Request
from starlette.responses import Response

from gateway.admin import Admin

from . import (
    account_routes,
    change_routes,
    credit_routes,
    export_routes,
    history_routes,
    live_routes,
    mail_routes,
    me_routes,
    payment_routes,
    people_routes,
    refusal_routes,
    sender_routes,
    sending_routes,
    smpp_routes,
    traffic_routes,
)
from .access import Access
from .problems import MEDIA_TYPE, answer_with_problems

ROUTES = (
    account_routes,
    smpp_routes,
    credit_routes,
    payment_routes,
    live_routes,
    traffic_routes,
    refusal_routes,
    history_routes,
    export_routes,
    sending_routes,
    sender_routes,
    people_routes,
    me_routes,
    mail_routes,
    change_routes,
)
PROBLEM = {
    "description": "Not done, and nothing was changed",
    "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
    },
}


def create_api(admin: Admin, access: Access) -> FastAPI:
    """`access` knows who asks; what they may is written at each route."""
    app = FastAPI(
        title="smppgate",
        version="1",
        openapi_url=None,  # the framework would say it all anew for each request: `show_description`
        docs_url=None,  # those pages load their scripts from elsewhere
        redoc_url=None,
        telemetry={"auto_configure": False},  # no exporter appears because of the environment
        generate_unique_id_function=operation_name,
        responses={"default": PROBLEM},
    )
    app.state.admin, app.state.access = admin, access
    for subject in ROUTES:
        app.include_router(subject.routes, prefix="/api/v1")
    answer_with_problems(app)
    describe_problems(app)
    show_description(app)
    return app


def prepare_routes(app: FastAPI) -> None:
    """The framework makes each when it is first looked at; else the first request looks at all of them."""
    for _ in iter_route_contexts(app.routes):
        pass


def operation_name(route: APIRoute) -> str:
    return route.name


def describe_problems(app: FastAPI) -> None:
    """The schema of what every route may answer, said once."""
    made = app.openapi

    def openapi() -> dict[str, object]:
        schema = made()
        schemas = schema.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = PROBLEM_SCHEMA
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)  # the framework's own shape, which is never sent
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend its schema


def show_description(app: FastAPI) -> None:
    """OpenAPI says the same for ever. To make it takes a tenth of a second, which nobody else is to wait for."""
    octets, making = b"", asyncio.Lock()

    def make() -> bytes:
        return json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()

    async def openapi(_request: Request) -> Response:
        nonlocal octets
        async with making:
            octets = octets or await asyncio.to_thread(make)
        return Response(octets, media_type="application/json")

    app.add_route("/api/v1/openapi.json", openapi, include_in_schema=False)
