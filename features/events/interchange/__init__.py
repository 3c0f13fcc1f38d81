"""Obligations and repayments between institutions: an open format with provenance, exported and imported."""

from benne.features.events.interchange.agreement import Agreement
from benne.features.events.interchange.columns import (
    FORMAT,
    LEGAL_BASES,
    QUALITIES,
    VERSION,
    WIRE_TABLES,
    WireTable,
)
from benne.features.events.interchange.exporting import ExportReport, export_package
from benne.features.events.interchange.importing import ImportOptions, ImportReport, import_package
from benne.features.events.interchange.manifest import Manifest, Terms, manifest_schema
from benne.features.events.interchange.merging import TableCount
from benne.features.events.interchange.options import ExportOptions, RowTerms
from benne.features.events.interchange.package import Limits
from benne.features.events.interchange.staging import PackageReport, check_package

__all__ = [
    "FORMAT",
    "LEGAL_BASES",
    "QUALITIES",
    "VERSION",
    "WIRE_TABLES",
    "Agreement",
    "ExportOptions",
    "ExportReport",
    "ImportOptions",
    "ImportReport",
    "Limits",
    "Manifest",
    "PackageReport",
    "RowTerms",
    "TableCount",
    "Terms",
    "WireTable",
    "check_package",
    "export_package",
    "import_package",
    "manifest_schema",
]
