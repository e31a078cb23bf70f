"""How a screen is made. In fifteen lines:

1. Write `pages_<subject>.py` with `routes = APIRouter()` and add the module to PAGES in `__init__`; the entry in the
   menu appears by itself once the path is there (`navigation`).
2. A page: `async def show_senders(request: Request, name: str, desk: Reads) -> Response`, with the names of
   `gateway.web.access`, ending in `return page(request, "senders.html", account=await desk.accounts.show(name), …)`.
   A page that is given `account` stands in that account's menu.
3. Its template: `{% extends "layout.html" %}{% import "macros.html" as ui with context %}`, blocks `title`, `head` (by
   `ui.head`), `content`, `dialog` (a dialog that is open: the page behind is inert). Look into macros.html first.
4. A form posts to the panel: `{{ csrf() }}` inside it; the handler takes `form = await typed(request)` (`forms`), calls
   the desk, and ends in `return done(request, "/where/next", _("What was done."), undo=change_id)`: 303, and the words
   on the next page. `except Fault as fault:` it ends in the same page with `form=Form(form, fault), status=422`.
5. Every word goes through `_()` or `ngettext("%(n)s bind", "%(n)s binds", n)` (`words`); templates have both, and
   filters `number`, `credits`, `moment`, `day`, `clock`, `duration`, `percent`, `said`. Polish stands in
   `locale/pl/LC_MESSAGES/<your subject>.po`; a test says what is missing. Reasons of a Fault are translated by entries
   with msgctxt "said".
6. No `style` attribute, no inline script. `<a data-dialog href=…>` opens that page's dialog in place, with a script.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined, Template, select_autoescape
from jinja2.environment import TemplateModule
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from gateway.admin import Actor
from gateway.web.sender_paths import in_path

from . import words
from .assets import static
from .forms import Form
from .navigation import Navigation
from .notices import COOKIE, Notice, leave, left

THEMES = ("light", "dark")


class Panel:
    """What every page of one app has in common."""

    def __init__(self, navigation: Navigation) -> None:
        self.navigation = navigation
        self.environment = environment()


class Page(Template):
    """A page lets go of what it was made of. What it imports knows its values, and its values know what it imports: a
    circle that held all that was typed and shown until the collector came, which it does once in a thousand pages."""

    def render(self, *args: Any, **values: Any) -> str:
        context = self.new_context(dict(*args, **values))
        try:
            return self.environment.concat(self.root_render_func(context))
        except Exception:
            self.environment.handle_exception()
        finally:
            context.vars.clear()

    def make_module(self, *args: Any, **options: Any) -> TemplateModule:
        context = self.new_context(*args, **options)
        module = TemplateModule(self, context)
        context.vars.clear()
        return module


class Pages(Environment):
    template_class = Page


def environment() -> Environment:
    made = Pages(
        loader=PackageLoader(__package__, "templates"),
        autoescape=select_autoescape(("html", "txt")),
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # the extension adds this method when it is loaded
    made.install_gettext_callables(words.gettext, words.ngettext_plain, newstyle=True)  # type: ignore[attr-defined]
    made.globals.update(static=static, ngettext=counted, languages=words.LANGUAGES)
    made.filters.update(
        number=words.number,
        credits=words.credits_,
        percent=words.percent,
        moment=words.moment,
        day=words.day,
        clock=words.clock,
        duration=words.duration,
        said=words.said,
        ago=words.ago,
        utcday=words.utcday,
        epoch=words.epoch,
        peer=words.address_of,
        in_path=in_path,
    )
    return made


def counted(singular: str, plural: str, n: int, **values: Any) -> Markup:
    """`%(n)s` is the number as the reader writes it."""
    return Markup(words.ngettext_plain(singular, plural, n)) % {"n": words.number(n), **values}  # noqa: S704 (ours)


def page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    """The template, rendered for whoever asks. `account` puts the page into that account's menu."""
    panel: Panel = request.app.state.panel
    notice = left(request)
    content = panel.environment.get_template(template).render(**about(request, panel, notice), **values)
    response = HTMLResponse(content, status)
    if notice is not None:
        response.delete_cookie(COOKIE)
    return response


def about(request: Request, panel: Panel, notice: Notice | None) -> Mapping[str, Any]:
    """What every template knows of the request. A page's own values come on top."""
    actor: Actor | None = getattr(request.state, "actor", None)
    theme, language = request.cookies.get("theme"), words.speech().language
    token = str(getattr(request.state, "csrf", ""))
    return {
        "actor": actor,
        "path": request.url.path,
        "address": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "language": language,
        "theme": theme if theme in THEMES else "",
        "menu": panel.navigation,
        "notice": notice,
        "csrf": lambda: Markup('<input type="hidden" name="csrf" value="{}">').format(token),
    }


def done(request: Request, url: str, text: str, *, kind: str = "ok", undo: int | None = None) -> Response:
    """303 to a page that shows what was done."""
    response = RedirectResponse(url, 303)
    leave(response, Notice(text, kind, undo), secure=request.url.scheme == "https")
    return response


__all__ = ["Form", "Panel", "done", "page"]
