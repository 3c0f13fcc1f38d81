"""Many members scored at once: a frame in memory, or files of any size that stream, resume and prove themselves.

Here are the names for frames; :mod:`benne.scoring.batch.run` is for files and :mod:`benne.scoring.batch.spark` for
clusters.
"""

from __future__ import annotations

from benne.scoring.batch.asked import Asked
from benne.scoring.batch.frame import BatchResult, score_frame
from benne.scoring.batch.unscorable import unscorable

__all__ = ["Asked", "BatchResult", "score_frame", "unscorable"]
