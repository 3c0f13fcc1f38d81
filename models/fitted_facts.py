"""What a fitted model tells of itself without being asked about a member."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sklearn.utils.validation import check_is_fitted

from benne.errors import ReferenceUnknown
from benne.models.cohorts import SMALLEST_COHORT

if TYPE_CHECKING:
    from benne.models.category_layout import CategoryLayout
    from benne.models.persistence import ModelState
    from benne.models.reference_histograms import ReferenceHistograms

__all__ = ["FittedFacts"]


class FittedFacts:
    """Facts of a fit that need no rows."""

    _state: ModelState

    @property
    def has_member_spread(self) -> bool:
        """Whether :meth:`predict_interval` knows how members of the same features differ."""
        check_is_fitted(self)
        return all(unknown.spread is not None for unknown in self._state.learned.uncertainty)

    @property
    def layout(self) -> CategoryLayout:
        """The categories in their order, and which of them each column belongs to."""
        check_is_fitted(self)
        return self._state.layout

    @property
    def category_of(self) -> dict[str, str]:
        """Category of each feature, by name."""
        layout = self.layout
        of_columns = zip(self._state.rules.columns, layout.column_category, strict=True)
        return {column: layout.names[k] for column, k in of_columns}

    @property
    def patterns(self) -> list[frozenset[str]]:
        """Sets of categories that may be scored alone, the full one first."""
        check_is_fitted(self)
        return [pattern.used for pattern in self._state.learned.patterns]

    @property
    def histograms_(self) -> ReferenceHistograms:
        """What the training data looked like, in counts of ten rows or more, for monitoring.

        Raises
        ------
        ReferenceUnknown
            If the model was saved before these were kept, or trained on fewer than fifty rows.
        """
        check_is_fitted(self)
        kept = self._state.histograms
        if kept is None:
            raise ReferenceUnknown(
                "A model must have histograms of its training data, and this one was saved by an older Benne or has "
                f"fewer than {SMALLEST_COHORT} rows. Fit it anew on more."
            )
        return kept
