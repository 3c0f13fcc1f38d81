"""Raw events through the door: validated, keyed, immutable."""

from benne.features.events.checking import check_raw
from benne.features.events.events import Events
from benne.features.events.ingest import ingest, load_events
from benne.features.events.key_files import read_key_file, write_key_file
from benne.features.events.keys import SubjectKey
from benne.features.events.refusals import Refusal
from benne.features.events.report import RefusalReport
from benne.features.events.tables import COMMON, OUTCOMES, TABLES, Column, EventTable

__all__ = [
    "COMMON",
    "OUTCOMES",
    "TABLES",
    "Column",
    "EventTable",
    "Events",
    "Refusal",
    "RefusalReport",
    "SubjectKey",
    "check_raw",
    "ingest",
    "load_events",
    "read_key_file",
    "write_key_file",
]
