"""Which gateway a command is about: the configuration, its data folder, and the API found there.

Invariant: importing this is quick; what is slow to import is imported when it is used. `--config` and `--data-dir` mean
the same wherever on the line they stand.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from gateway.config import Config

    from .client import Client

FAILED, USAGE, MISSING = 1, 2, 3


class Failure(click.ClickException):
    """Said on standard error; `code` is what the process exits with."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code

    @property
    def exit_code(self) -> int:  # type: ignore[override]  # click has one for the class, and asks the instance
        return self.code


@dataclass
class Whereabouts:
    config_file: Path | None = None
    data_dir: Path | None = None

    def config(self) -> "Config":
        from gateway.config import ConfigError, load

        file = self.config_file or (Path(named) if (named := os.environ.get("SMPPGATE_CONFIG")) else None)
        try:
            config = load(file)
        except ConfigError as error:
            raise Failure(
                "the configuration cannot be used\n" + "\n".join(f"  {each}" for each in error.problems)
            ) from None
        return config if self.data_dir is None else config.model_copy(update={"data_dir": self.data_dir})

    def client(self, *, create: bool = False, timeout: float | None = None) -> "Client":
        """The API of this gateway, running or not. `create`: make a store if there is none yet."""
        from .client import TIMEOUT, Client

        config = self.config()
        patience = TIMEOUT if timeout is None else timeout
        mail, url = bool(config.mail.host), config.web.address
        return Client(config.data_dir, config.node, create=create, mail=mail, url=url, timeout=patience)


def remember(context: click.Context, option: click.Parameter, value: Path | None) -> None:
    if value is not None and option.name is not None:
        setattr(context.find_root().ensure_object(Whereabouts), option.name, value)


def whereabouts_options() -> list[click.Option]:
    path: Any = click.Path(path_type=Path)
    common: dict[str, Any] = {"type": path, "expose_value": False, "callback": remember, "is_eager": True}
    return [
        click.Option(
            ["--config", "config_file"], metavar="FILE", help="Configuration file; else $SMPPGATE_CONFIG.", **common
        ),
        click.Option(
            ["--data-dir", "data_dir"], metavar="DIR", help="Data folder, instead of the configured one.", **common
        ),
    ]


class Command(click.Command):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += whereabouts_options()


class Group(click.Group):
    command_class = Command
    group_class = type

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params += whereabouts_options()


pass_whereabouts = click.make_pass_decorator(Whereabouts, ensure=True)
as_json = click.option("--json", "json_", is_flag=True, help="Print JSON.")
