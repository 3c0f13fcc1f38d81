"""Protected attributes of members: for fairness audits alone, and apart from everything that scores."""

from benne.scoring.protected.attributes import HOLDABLE, Declared
from benne.scoring.protected.folder import lay_out_protected, opened_protected
from benne.scoring.protected.part import ProtectedPart
from benne.scoring.protected.protected_store import Kept, ProtectedStore

__all__ = [
    "HOLDABLE",
    "Declared",
    "Kept",
    "ProtectedPart",
    "ProtectedStore",
    "lay_out_protected",
    "opened_protected",
]
