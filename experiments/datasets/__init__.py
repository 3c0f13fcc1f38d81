"""Public data sets, each mapped into the raw event tables a platform would hand over.

The comparison with plain LightGBM is in :mod:`benne.experiments.datasets.results`, which needs models.
"""

from benne.experiments.datasets.berka import load_berka
from benne.experiments.datasets.catalogue import CATALOGUE, describe_downloads, field_table, load
from benne.experiments.datasets.dataset import Dataset, DatasetAbout, FieldMapping, Split
from benne.experiments.datasets.monthly_status import load_monthly_status
from benne.experiments.datasets.originals import content_sha256, data_folder
from benne.experiments.datasets.taiwan import load_taiwan

__all__ = [
    "CATALOGUE",
    "Dataset",
    "DatasetAbout",
    "FieldMapping",
    "Split",
    "content_sha256",
    "data_folder",
    "describe_downloads",
    "field_table",
    "load",
    "load_berka",
    "load_monthly_status",
    "load_taiwan",
]
