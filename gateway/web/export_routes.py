"""Files of history over HTTP: ordered, watched while they are written, fetched, cancelled, deleted."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from gateway.admin.history import Filter

from .access import Reads

JSON = dict[str, Any]
Id = Annotated[int, Path(ge=1, lt=1 << 63)]
Text = Annotated[str, Field(max_length=64)]
routes = APIRouter(tags=["history"])


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    direction: Literal["outgoing", "incoming"] = "outgoing"
    since: Annotated[Text, Field(description="A day of the asker's, or a moment")] = ""
    until: Text = ""
    sender: Text = ""
    recipient: Text = ""
    state: Text = ""


@routes.post("/accounts/{name}/exports", status_code=201)
async def order_export(desk: Reads, name: str, body: Order) -> JSON:
    """All that fits, as CSV, written in the background; look at it by its `id`. Files are kept for seven days, ten of
    an account at most. Who may only look gets masked numbers."""
    fields = body.model_dump()
    return await desk.exports.order(name, fields.pop("direction"), Filter(**fields))


@routes.get("/accounts/{name}/exports")
async def list_exports(desk: Reads, name: str) -> JSON:
    return {"items": await desk.exports.all(name)}


@routes.get("/accounts/{name}/exports/{export}")
async def show_export(desk: Reads, name: str, export: Id) -> JSON:
    """`state` is waiting, running, done, failed or cancelled; `rows` of about `estimate` are written."""
    return await desk.exports.show(name, export)


@routes.get("/accounts/{name}/exports/{export}/file", response_class=FileResponse)
async def fetch_export(desk: Reads, name: str, export: Id) -> FileResponse:
    """The file, once it is done."""
    file = await desk.exports.file(name, export)
    return FileResponse(file, media_type="text/csv", filename=f"{name}-{export}.csv")


@routes.post("/accounts/{name}/exports/{export}/cancel")
async def cancel_export(desk: Reads, name: str, export: Id) -> JSON:
    return await desk.exports.cancel(name, export)


@routes.delete("/accounts/{name}/exports/{export}", status_code=204)
async def delete_export(desk: Reads, name: str, export: Id) -> None:
    """The file too."""
    await desk.exports.remove(name, export)
