"""The panel: pages for the browser over the same desks as the API. Works without JavaScript.

Invariant: every page is a URL that works alone, every form posts to the panel and answers 303 when it is done, 422 with
what was typed when it is not. `rendering` tells how a screen is made.
"""

from fastapi import FastAPI

from . import (
    assets,
    pages_accounts,
    pages_binds,
    pages_blacklist,
    pages_changes,
    pages_credits,
    pages_entrance,
    pages_exports,
    pages_health,
    pages_history,
    pages_home,
    pages_mail,
    pages_me,
    pages_people,
    pages_preferences,
    pages_prices,
    pages_refusals,
    pages_send,
    pages_senders,
    pages_settings,
    pages_simulator,
    pages_specification,
    pages_topups,
)
from .failing import answer_with_pages
from .headers import Hardened
from .navigation import Navigation
from .rendering import Panel

PAGES = (
    pages_preferences,
    pages_entrance,
    pages_accounts,
    pages_home,
    pages_settings,
    pages_history,
    pages_exports,
    pages_send,
    pages_senders,
    pages_blacklist,
    pages_credits,
    pages_topups,
    pages_binds,
    pages_refusals,
    pages_prices,
    pages_simulator,
    pages_specification,
    pages_people,
    pages_changes,
    pages_mail,
    pages_health,
    pages_me,
)


def add_panel(app: FastAPI) -> None:
    """Beside the API, in the same app: whoever may ask is found the same way."""
    app.include_router(assets.routes, include_in_schema=False)
    for subject in PAGES:
        app.include_router(subject.routes, include_in_schema=False)
    paths = {getattr(route, "path", "") for subject in PAGES for route in subject.routes.routes}
    app.state.panel = Panel(Navigation(paths))
    answer_with_pages(app)
    app.add_middleware(Hardened)


def prepare_pages(app: FastAPI) -> None:
    """The templates of what strangers see, and of what every page has: compiled when first used, most of it at once."""
    for name in ("layout.html", "macros.html", "login.html", "error.html"):
        app.state.panel.environment.get_template(name)
