"""What is known about a member at a moment.

``registry`` names every feature; :func:`build_features` computes them from :class:`Events`
where a :class:`ConsentMask` allows it.
"""

from benne.features.build import build_features
from benne.features.categories import CATEGORIES, CATEGORY_LABELS
from benne.features.consent_mask import MASK_COLUMNS, ConsentMask, split_mask
from benne.features.describe import describe, documentation
from benne.features.events import Events, SubjectKey, ingest, load_events, read_key_file
from benne.features.plan import available
from benne.features.quality import QualityReport, Thresholds, check_quality, quality_report
from benne.features.registered import registry
from benne.features.specification import FeatureSpec, Registry

__all__ = [
    "CATEGORIES",
    "CATEGORY_LABELS",
    "MASK_COLUMNS",
    "ConsentMask",
    "Events",
    "FeatureSpec",
    "QualityReport",
    "Registry",
    "SubjectKey",
    "Thresholds",
    "available",
    "build_features",
    "check_quality",
    "describe",
    "documentation",
    "ingest",
    "load_events",
    "quality_report",
    "read_key_file",
    "registry",
    "split_mask",
]
