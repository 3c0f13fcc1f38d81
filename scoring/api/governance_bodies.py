"""What the interface says of the model that serves and of what is on file about it; the client reads it too."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["FiledMonitoringBody", "FilingBody", "FilingsBody", "MeasureBody", "ModelNamed", "MonitoringBody"]


class ModelNamed(BaseModel):
    """A model by its files."""

    model_config = ConfigDict(protected_namespaces=())

    model_id: str
    config_hash: str = Field(description="SHA-256 of its manifest.")


class MeasureBody(BaseModel):
    """A figure, on how many it rests, and whether there is one."""

    value: float | None
    low: float | None
    high: float | None
    n: int | None = Field(description="Null where it is small.")
    state: str = Field(description="`measured`, or `INSUFFICIENT` where it rests on too few.")
    note: str


class FiledMonitoringBody(BaseModel):
    """Figures of the newest monitoring on data at hand, which knows outcomes."""

    document_id: str = Field(description="Also of its audit record.")
    filed_at: str
    made_at: str
    measures: dict[str, MeasureBody]


class MonitoringBody(BaseModel):
    """Live monitoring of the model that serves: figures over 7 and 30 days, and what is beyond its limits."""

    format: int
    kind: str
    model: ModelNamed
    made_at: str
    by: str
    measures: dict[str, MeasureBody]
    filed: FiledMonitoringBody | None = Field(
        default=None, description="The newest monitoring document on file; null where there is none."
    )
    tables: dict[str, list[dict[str, Any]]]
    notes: list[str]


class FilingBody(BaseModel):
    """A verdict or document on file."""

    filing_id: str = Field(description="Also of its audit record.")
    kind: str
    content_hash: str
    filed_at: str
    filed_by: str
    whole: bool = Field(description="Whether it is what the audit chain says was filed.")
    content: dict[str, Any]


class FilingsBody(BaseModel):
    """What is on file about the model that serves."""

    model: ModelNamed
    filings: list[FilingBody]
