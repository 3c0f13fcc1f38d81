"""One member's score, taken apart into lines that a person can read and add up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from benne.explain.about import About
from benne.explain.lines import CategoryLine, FeatureLine
from benne.explain.plain import explanation_as_dict
from benne.explain.telling import text_lines
from benne.explain.texts import Language, Texts, texts_of
from benne.explain.wording import feature_in_words

if TYPE_CHECKING:
    import shap

__all__ = ["MemberExplanation"]


@dataclass(frozen=True)
class MemberExplanation:
    """A score that adds up: base, categories and clipping.

    Parameters
    ----------
    score : float
        350 to 950.
    shown : int
        The score as a whole number.
    band : str
    pd : float
        Probability of bad, in [0, 1].
    pd_low, pd_high : float
        Its 90 % interval.
    percentile : float or None
        Per cent of the reference sample that score no higher; None where that has fewer than fifty members a share.
    thin_file : bool
        Whether nothing is on record in some category that entered.
    rare : bool or None
        Whether there was little like the file to learn from; None where the model cannot tell.
    base : float
    base_shown : int
    categories : tuple of CategoryLine
    clipped : float
        What the ends of the scale added or took; mostly 0.
    clipped_shown : int
    about : About
        Language, dates, model, reference and reasons.
    """

    score: float
    shown: int
    band: str
    pd: float
    pd_low: float
    pd_high: float
    percentile: float | None
    thin_file: bool
    rare: bool | None
    base: float
    base_shown: int
    categories: tuple[CategoryLine, ...]
    clipped: float
    clipped_shown: int
    about: About = field(default_factory=About)

    @property
    def gap(self) -> float:
        """Difference between the score and the sum of its feature lines; below 1e-9."""
        lines = sum(feature.points for category in self.categories for feature in category.features)
        return abs(self.base + lines + self.clipped - self.score)

    @property
    def used(self) -> tuple[str, ...]:
        """Categories that entered, with the member's consent."""
        return tuple(category.name for category in self.categories if not category.withheld)

    @property
    def withheld(self) -> tuple[str, ...]:
        """Categories that did not enter, and count neither way."""
        return tuple(category.name for category in self.categories if category.withheld)

    @property
    def texts(self) -> Texts:
        """The catalogue of the explanation's own language."""
        return texts_of(self.about.language)

    def features(self) -> Iterator[FeatureLine]:
        """All feature lines, the strongest first."""
        lines = [feature for category in self.categories for feature in category.features]
        return iter(sorted(lines, key=lambda line: (-abs(line.points), line.name)))

    def in_language(self, language: Language) -> MemberExplanation:
        """The same explanation in another language; no number changes.

        Raises
        ------
        TextMissing
            If there is no such language.
        """
        if language == self.about.language:
            return self
        texts = texts_of(language)
        categories = tuple(_in_words(category, texts) for category in self.categories)
        return replace(self, categories=categories, about=replace(self.about, language=language))

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, as ``explanation.schema.json`` describes them."""
        return explanation_as_dict(self)

    def as_text(self, features: int = 3, language: Language | None = None) -> str:
        """Lines of whole points that add up, with the strongest features of each category.

        Parameters
        ----------
        features : int
            How many features to name in each category.
        language : {'en', 'zh'}, optional
            By default the explanation's own.
        """
        said = self if language is None else self.in_language(language)
        return "\n".join(text_lines(said, features))

    def to_shap(self) -> shap.Explanation:
        """For shap's plots; see :func:`benne.explain.shap_values.shap_of_member`."""
        from benne.explain.shap_values import shap_of_member

        return shap_of_member(self)


def _in_words(category: CategoryLine, texts: Texts) -> CategoryLine:
    # What is not registered has no words in any language, and is named by nothing but its name.
    lines = tuple(
        line if line.sentence == line.name else feature_in_words(
            line.name, line.value, (line.points, line.shown), line.unit, texts
        )
        for line in category.features
    )  # fmt: skip
    return replace(category, label=texts.category(category.name), features=lines)
