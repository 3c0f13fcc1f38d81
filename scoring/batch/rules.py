"""What a batch asks of the ledger, and the finest answer its purpose allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benne.scoring.batch.asked import Asked
from benne.scoring.consent.deciding import question_of
from benne.scoring.consent.decision import Question
from benne.scoring.consent.ledger import REQUIRED_BY_DEFAULT
from benne.scoring.consent.vocabulary import Granularity
from benne.scoring.policy import Policies
from benne.scoring.policy.policies import ANY_RECIPIENT

__all__ = ["Rules", "rules_of"]

_SERVICE: Final = "batch"


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for every row of a batch.

    Parameters
    ----------
    question : Question
        Without a moment; each row has its own.
    finest : {'threshold', 'band', 'exact'}
        Nobody is told more, whatever members consent to.
    policy_version : str
    refusal : str or None
        Why nobody may be scored, whoever it is.
    service : str
        What stands in the audit chain as the service.
    """

    question: Question
    finest: Granularity
    policy_version: str
    refusal: str | None = None
    service: str = _SERVICE


def rules_of(asked: Asked, policies: Policies) -> Rules:
    """What policies and the ledger make of what is asked.

    Raises
    ------
    ConsentRecordError
        If recipient or actor is no name.

    Examples
    --------
    >>> from benne.scoring.policy import default_policies
    >>> rules_of(Asked("lending", "shop", "nightly"), default_policies()).finest
    'exact'
    >>> rules_of(Asked("model_training", "shop", "nightly"), default_policies()).refusal
    'purpose-not-allowed'
    """
    policy = next((p for name, p in policies.purposes.items() if name == asked.purpose and p.enabled), None)
    required = REQUIRED_BY_DEFAULT if policy is None else policy.required_categories
    question = question_of(
        asked.purpose, asked.recipient, asked.actor, required, None, "advisory", None, policies.jurisdiction
    )
    if policy is None:
        return Rules(question, "threshold", policies.version, "purpose-not-allowed")
    served = policies.recipients.get(asked.recipient, policies.recipients.get(ANY_RECIPIENT, frozenset()))
    refusal = None if policy.purpose in served else "recipient-not-allowed"
    return Rules(question, policy.granularity, policies.version, refusal)
