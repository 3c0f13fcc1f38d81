"""From features to a score."""

from benne.models.additive_booster import BoosterOptions
from benne.models.calibration import CalibrationReport
from benne.models.category_layout import DEFAULT_WEIGHTS
from benne.models.consent_patterns import withheld_of
from benne.models.contract_report import ContractReport
from benne.models.credit_score_model import CreditScoreModel
from benne.models.explanation import Explanation
from benne.models.scale import BAND_SCHEMES, DEFAULT_BANDS, SCORE_MAX, SCORE_MIN, Band, ScoreScale

__all__ = [
    "BAND_SCHEMES",
    "DEFAULT_BANDS",
    "DEFAULT_WEIGHTS",
    "SCORE_MAX",
    "SCORE_MIN",
    "Band",
    "BoosterOptions",
    "CalibrationReport",
    "ContractReport",
    "CreditScoreModel",
    "Explanation",
    "ScoreScale",
    "withheld_of",
]
