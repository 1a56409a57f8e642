"""Variables from the environment, from `.env`, and each from the file that NAME_FILE names."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from dotenv.parser import parse_stream
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, DotEnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict


class VariablesInvalid(Exception):
    """A variable has a value that cannot be used; the message names it and never shows the value."""


class Variables(BaseSettings):
    """Settings read by name; a field `database_url` is the variable DATABASE_URL."""

    model_config = SettingsConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True, env_ignore_empty=True, str_strip_whitespace=True
    )
    ways: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """The ways to log in, the usual one first, and the variables that each needs, for `memsync init` to ask for."""

    @classmethod
    def load(cls, connection: str | None = None, env_file: Path | None = Path(".env")) -> Self:
        """Read every variable, with the prefix `EU_` for `connection: EU`; raises VariablesInvalid."""
        prefix = f"{connection}_" if connection else ""
        try:
            _check_lines(env_file)
            return cls(_env_prefix=prefix, _env_file=env_file)
        except ValidationError as error:
            raise VariablesInvalid(_explain(error, prefix)) from None
        except (OSError, UnicodeDecodeError) as error:
            raise VariablesInvalid(f"{env_file}: cannot be read ({type(error).__name__}); it must be UTF-8") from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, _FileSource(settings_cls, dotenv_settings), dotenv_settings


def _check_lines(env_file: Path | None) -> None:
    """Refuse a file with a line that would be left out silently."""
    logging.getLogger("dotenv.main").setLevel(logging.ERROR)  # it would warn of the same line, twice and unnamed
    if env_file is None or not env_file.is_file():
        return
    with env_file.open(encoding="utf-8-sig") as file:
        for line in parse_stream(file):
            if line.error:
                raise VariablesInvalid(f"{env_file}:{line.original.line}: expected NAME=value; correct this line")


class _FileSource(PydanticBaseSettingsSource):
    """Reads NAME from the file that NAME_FILE names, as container secrets are mounted."""

    def __init__(self, settings_cls: type[BaseSettings], dotenv: PydanticBaseSettingsSource) -> None:
        super().__init__(settings_cls)
        self._dotenv = dotenv.env_vars if isinstance(dotenv, DotEnvSettingsSource) else {}
        self._prefix = getattr(dotenv, "env_prefix", "")

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = f"{self._prefix}{field_name}".upper()
        path = os.environ.get(f"{name}_FILE") or self._dotenv.get(f"{name}_FILE".lower())
        if not path:
            return None, field_name, False
        if os.environ.get(name):
            raise VariablesInvalid(f"{name} and {name}_FILE are both set: keep one of them")
        try:
            value = Path(path).read_text(encoding="utf-8-sig").strip()
        except (OSError, ValueError) as error:
            what = f"{name}_FILE: cannot read {_shown(path)}: {_reason(error)}"
            raise VariablesInvalid(f"{what}; expected the path of a file that holds the value") from None
        if not value:
            raise VariablesInvalid(f"{name}_FILE: {_shown(path)} is empty; put the value into it")
        return value, field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in found.items() if value is not None}


def _reason(error: Exception) -> str:
    """Why a file cannot be read, in words."""
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8"
    return (error.strerror or "").lower() or "it cannot be opened" if isinstance(error, OSError) else "it is no path"


def _shown(path: str) -> str:
    """A path as it was given; what does not look like one may be the secret itself, put into the wrong variable."""
    return path if path.startswith(("/", "./", "../")) and path.isprintable() else "the file that it names"


def _explain(error: ValidationError, prefix: str) -> str:
    return "; ".join(
        f"{prefix}{'_'.join(str(part) for part in problem['loc'])}".upper()
        + f": {problem['msg'].removeprefix('Value error, ')}"
        for problem in error.errors(include_input=False, include_url=False, include_context=False)
    )
