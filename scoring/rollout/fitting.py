"""Whether a challenger can stand beside a champion: it looks at what is computed, under the same consents."""

from __future__ import annotations

from collections.abc import Mapping

from benne.errors import RolloutError
from benne.scoring.decisions.served_model import ServedModel

__all__ = ["categories_by_feature", "require_fit"]


def require_fit(challenger: ServedModel, champion: ServedModel, computed: Mapping[str, str]) -> None:
    """Refuse a challenger that needs what is not there, or counts a feature among another category.

    Parameters
    ----------
    challenger, champion : ServedModel
    computed : mapping of str to str
        Category of each feature that is computed live besides the champion's own; none where features are loaded.

    Raises
    ------
    RolloutError
    """
    known = {**computed, **categories_by_feature(champion)}
    theirs = categories_by_feature(challenger)
    missing = [name for name in challenger.names if name not in known]
    if missing:
        raise RolloutError(
            f"A challenger must take features that are there live, got {len(missing)} that are not, the first being "
            f"{missing[0]}. Train it on the champion's features, or compute features from events."
        )
    elsewhere = [name for name in challenger.names if theirs[name] != known[name]]
    if elsewhere:
        raise RolloutError(
            f"A challenger must count features among the categories that members consent to, got {elsewhere[0]} "
            f"among {theirs[elsewhere[0]]} instead of {known[elsewhere[0]]}. Train it with the same categories."
        )


def categories_by_feature(served: ServedModel) -> dict[str, str]:
    """Category of each feature of a model."""
    return {served.names[place]: category for category, places in served.columns.items() for place in places.tolist()}
