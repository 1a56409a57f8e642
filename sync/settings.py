"""The variables of the application itself; each connector declares its own."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal

from pydantic import Field, SecretStr, field_validator

from connectors.source import Duration
from connectors.variables import Variables
from sync.costs import RATES, Rate, parse_rates

_KEY = re.compile(r"[\x21-\x7e]+")


class Settings(Variables):
    """What the environment says. Names are the variables' own, in lower case."""

    personize_secret_key: SecretStr | None = Field(None, description="The key of the Personize organisation.")
    personize_base_url: str = Field("https://agent.personize.ai", repr=False, description="Where the memory API is.")
    personize_api_version: Literal["auto", "v1", "v1.1"] = Field(
        "auto", description="The API's dialect; auto asks v1 first and v1.1 when there is no v1."
    )
    memsync_state_url: str = Field(
        "sqlite:///memsync-state.db", repr=False, description="The state store: sqlite:///FILE or postgresql://..."
    )
    memsync_require_state: bool = Field(
        default=False,
        description="Whether runs refuse to begin with a new state store: set it once the first run is done.",
    )
    memsync_mappings: str = Field("mappings", description="The folder of property maps.")
    memsync_log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="Log lines for people or for machines; auto: for people on a terminal."
    )
    memsync_log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least that is logged."
    )
    memsync_in_flight: int = Field(4, ge=1, le=20, description="Calls at once; an organisation may have 5.")
    memsync_rate_share: float = Field(
        0.9, gt=0, le=1, description="The share of the plan's per-minute limit that is used."
    )
    memsync_rate_unit: Literal["call", "row"] = Field("call", description="What the plan counts as one call.")
    memsync_credit_rates: str = Field(
        RATES, description="Credits that a row costs by tier, from-to; estimates and limits are made of them."
    )
    memsync_allow_hosts: str = Field(
        "", description="Hosts besides Personize's own, separated by commas, that may be sent the key."
    )

    memsync_notify_url: SecretStr | None = Field(
        None, description="Where problems and recoveries of streams are posted as JSON: https, or http on this machine."
    )
    memsync_notify_apprise: SecretStr | None = Field(
        None, description="Addresses of other channels as apprise writes them, separated by blanks."
    )
    memsync_notify_rejects: int = Field(
        0, ge=0, description="The number of a stream's rejected rows above which it is told."
    )
    memsync_notify_after: Duration = Field(
        timedelta(hours=24),
        validate_default=False,
        description="How long after it was due a stream may be without a success before it is late, and told.",
    )

    @field_validator("memsync_credit_rates")
    @classmethod
    def _are_rates(cls, value: str) -> str:
        parse_rates(value)
        return value

    @property
    def credit_rates(self) -> dict[str, Rate]:
        """MEMSYNC_CREDIT_RATES by tier."""
        return parse_rates(self.memsync_credit_rates)

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """MEMSYNC_ALLOW_HOSTS as a set."""
        return frozenset(host.strip().lower() for host in self.memsync_allow_hosts.split(",") if host.strip())

    def key_problem(self) -> str | None:
        """What is wrong with PERSONIZE_SECRET_KEY, without showing it; None when nothing is."""
        if self.personize_secret_key is None:
            return (
                "PERSONIZE_SECRET_KEY is not set; put the organisation's key (sk_live_... or sk_test_...) into the "
                "environment, into .env, or into a file named by PERSONIZE_SECRET_KEY_FILE"
            )
        if not _KEY.fullmatch(self.personize_secret_key.get_secret_value().strip()):
            return "PERSONIZE_SECRET_KEY holds characters that no key has (blanks, line breaks, accents); copy it again"
        return None
