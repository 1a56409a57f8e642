"""The parts of a property map that say how and when rows are sent."""

from __future__ import annotations

from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from sync.maps.cron import parse_cron
from sync.maps.problem import did_you_mean
from sync.maps.steps import refused

MAX_ROWS_PER_CALL = 500
MAX_ROWS_PER_CALL_ENTERPRISE = 5_000


class Part(BaseModel):
    """A mapping of the file: strict, closed, and silent about its input."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Destination(Part):
    """How rows are sent."""

    source: str | None = Field(
        None, min_length=1, description="The label of the source in memory; default: the connector's name, as Postgres."
    )
    tier: Literal["basic", "pro", "pro_fast", "ultra"] = Field("pro", description="The quality of extraction.")
    plan: Literal["enterprise"] | None = Field(None, description="enterprise allows up to 5,000 rows a call.")
    rows_per_call: int = Field(
        100, alias="rowsPerCall", ge=1, le=MAX_ROWS_PER_CALL_ENTERPRISE, description="Rows of one call, at most 500."
    )
    chunk_size: int = Field(
        1,
        alias="chunkSize",
        ge=1,
        le=MAX_ROWS_PER_CALL_ENTERPRISE,
        description="Rows that the server handles per step.",
    )
    skip_unchanged: bool = Field(
        default=True, alias="skipUnchanged", description="Leave out rows whose mapped values were already delivered."
    )

    on_identity_change: Literal["report", "rekey"] = Field(
        "report",
        alias="onIdentityChange",
        description="A record's identity changed: report it, or give its old record in memory the new key.",
    )

    @field_validator("rows_per_call")
    @classmethod
    def _within_plan(cls, value: int, info: ValidationInfo) -> int:
        if value > MAX_ROWS_PER_CALL and info.data.get("plan") != "enterprise":
            raise refused(f"found {value}, expected at most {MAX_ROWS_PER_CALL} (5,000 with `plan: enterprise`)")
        return value


class Limits(Part):
    """What one run may spend before it stops, with exit code 6, and goes on the next time."""

    max_rows: int | None = Field(None, alias="maxRows", ge=1, description="Rows that a run sends at most.")
    max_calls: int | None = Field(None, alias="maxCalls", ge=1, description="Calls that a run makes at most.")
    max_credits: int | None = Field(
        None, alias="maxCredits", ge=1, description="Credits that a run may cost, at the highest rate of its tier."
    )
    confirm_above: int | None = Field(
        10_000,
        alias="confirmAbove",
        ge=0,
        description="Rows with text that a first run or a backfill sends without being asked; null: any number.",
    )
    times_usual: int | None = Field(
        10,
        alias="timesUsual",
        ge=2,
        description="So many times the usual number of rows need somebody's consent; null: never.",
    )


class Schedule(Part):
    """When `memsync serve` runs the stream."""

    cron: str = Field(
        description="Five crontab fields: minute, hour, day, month, day of week (0 and 7 are Sunday).",
        examples=["0 2 * * *", "*/15 6-20 * * mon-fri"],
    )
    timezone: str = Field("UTC", description="The time zone of the clock.", examples=["Europe/Berlin"])

    @field_validator("cron")
    @classmethod
    def _is_cron(cls, value: str) -> str:
        parse_cron(value)
        return value

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, LookupError):
            near = did_you_mean(value, available_timezones())
            expected = near or ", expected a name such as Europe/Berlin"
            raise refused(f"found an unknown time zone{expected}") from None
        return value
