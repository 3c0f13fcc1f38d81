"""Every setting of the service, in one typed object: from the environment (``BENNE_…``) or a TOML file.

A service lives in one folder (``home``), which ``benne service init`` lays out: the database, the key ring, the key of
subject ids, the signing key, policies, consent terms and models. Any of them may be elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from benne.errors import SettingsError

__all__ = ["FILE_NAME", "Settings", "read_settings"]

FILE_NAME: Final = "benne.toml"
"""In the service's folder; what the environment says stands above it."""

_Positive = Annotated[int, Field(gt=0)]


class Settings(BaseSettings):
    """What the service runs with. Paths that are not absolute are inside ``home``."""

    model_config = SettingsConfigDict(env_prefix="BENNE_", extra="forbid", frozen=True)

    home: Path = Field(description="The service's folder.")
    database: SecretStr = Field(
        default=SecretStr("benne.db"),
        description="A file, or the address of a PostgreSQL such as postgresql+psycopg://benne@db/benne.",
    )
    migrate: bool = Field(default=True, description="Bring an older database up to date when the service starts.")
    keyring: Path = Field(default=Path("keyring.json"), description="File of the master keys.")
    subject_key: Path = Field(default=Path("subject.key"), description="Key of subject ids: that of the events.")
    signing_key: Path = Field(default=Path("signing.key"), description="Ed25519 key of consent receipts.")
    proof_keys: Path = Field(default=Path("proof-keys.json"), description="Keys of members' proofs, and their turns.")
    policies: Path = Field(default=Path("policies.toml"), description="What is allowed.")
    terms: Path = Field(default=Path("terms"), description="Folder of consent terms, one TOML file each.")
    models: Path = Field(default=Path("models"), description="Folder of models, each under its id.")
    events: str | None = Field(
        default=None, description="Event store to compute features from; without it, vectors that were loaded serve."
    )
    issuer: str = Field(default="benne", description="Name of this service in receipts and proofs.")
    complaints: str | None = Field(
        default=None, description="Where a refusal can be complained about; told with each refusal."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8350, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    clerks: int = Field(default=2, ge=1, le=32, description="Passes of decisions at a time.")
    most_waiting: _Positive = Field(default=2_048, description="Requests that may wait for a decision.")
    body_limit: _Positive = Field(default=65_536, description="Bytes of a body at most.")
    batch_body_limit: _Positive = Field(default=64 * 1024 * 1024, description="Bytes of a batch at most.")
    rate_per_second: float = Field(
        default=500.0, ge=0, description="Requests of one recipient, member or key; 0 for no limit."
    )
    burst: _Positive = Field(default=1_000, description="Requests that may come at once before the rate counts.")
    timeout_seconds: float = Field(default=10.0, gt=0, description="After which a request is given up.")
    access_cache_seconds: float = Field(
        default=2.0, ge=0, description="How long credentials are known before they are looked up again."
    )
    shutdown_seconds: _Positive = Field(default=20, description="For requests under way when the service stops.")
    jwks: str | None = Field(default=None, description="File or https address of the identity provider's keys.")
    token_issuer: str | None = Field(default=None, description="Who must have issued a token.")
    token_audience: str | None = Field(default=None, description="Whom a token must be for.")
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level logged.")
    alert_webhook: SecretStr | None = Field(
        default=None,
        description="Address that alerts of live monitoring are sent to; https, or http to this machine.",
    )
    thresholds: Path | None = Field(
        default=None, description="TOML with limits of live monitoring other than the default ones."
    )
    monitoring_days: int = Field(
        default=45,
        ge=0,
        description="Days without a filed monitoring of the serving model that live monitoring lets pass; 0 for any.",
    )
    metrics: bool = Field(default=True, description="Whether /metrics is served.")
    console: bool = Field(default=True, description="Whether the pages at /console and /me are served.")
    protected: Path | None = Field(
        default=None, description="Folder of the store of protected attributes, which erasures reach too."
    )
    anchors: Path | None = Field(
        default=None, description="File of anchors that the console holds the audit chain against."
    )
    anchors_public_key: Path | None = Field(default=None, description="Public key of those anchors.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the folder's file."""
        home = init_settings().get("home") or env_settings().get("home")
        file = TomlConfigSettingsSource(settings_cls, Path(home) / FILE_NAME if home else None)
        return init_settings, env_settings, file

    def path(self, name: str) -> Path:
        """Where a setting that is a path points."""
        return self.home / Path(getattr(self, name))

    @property
    def database_address(self) -> str:
        """The database's address; holds its password, if it has one."""
        address = self.database.get_secret_value()
        return address if "://" in address else str(self.home / address)

    @property
    def events_address(self) -> str | None:
        """The event store's address."""
        return self.events if self.events is None or "://" in self.events else str(self.home / self.events)


def read_settings(home: Path | None = None, **given: Any) -> Settings:
    """Settings of a service's folder.

    Parameters
    ----------
    home : Path, optional
        By default what ``BENNE_HOME`` says.
    **given
        Stand above everything else.

    Raises
    ------
    SettingsError
        If one is missing, unknown or outside its domain; named, but never repeated.
    """
    try:
        return Settings(**given if home is None else {**given, "home": home})
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_input=False)
        )
        raise SettingsError(f"Settings must be as docs/service.md lists them, got {wrong}. Correct them.") from None
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{FILE_NAME} must be a TOML file of settings, got {type(error).__name__}. Correct it."
        ) from None
