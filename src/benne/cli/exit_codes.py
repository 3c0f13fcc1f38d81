"""One table from what went wrong to the number the shell sees."""

from __future__ import annotations

from typing import Final

from benne import errors

__all__ = ["EXIT_CODES", "MEANINGS", "UNEXPECTED", "exit_code_of"]

OK: Final = 0
UNEXPECTED: Final = 1
USAGE: Final = 2
BAD_INPUT: Final = 3
NO_CONSENT: Final = 4
STORE: Final = 5
PROMISE_BROKEN: Final = 6
TOO_LITTLE_KNOWN: Final = 7
NOT_FIT: Final = 8
NOT_INSTALLED: Final = 9
KEPT_BY_LAW: Final = 10
NOT_ADMITTED: Final = 11

MEANINGS: Final[dict[int, str]] = {
    OK: "done",
    UNEXPECTED: "something unexpected; run again with `benne --debug …` to see where",
    USAGE: "the command was not written as its help says",
    BAD_INPUT: "what was given is not as it must be: events, features, labels, a model, a file, a consent record",
    NO_CONSENT: "refused for want of consent; nothing was computed or shown",
    STORE: "the consent store is missing, of another version, or unreachable",
    PROMISE_BROKEN: "a score would not have added up, the weights would not have held, the audit chain is broken, "
    "or a signature or proof does not hold",
    TOO_LITTLE_KNOWN: "consented, but too little is known to score",
    NOT_FIT: "the data are beyond a quality limit at which a build stops, or monitoring found what --fail-on names; "
    "the report says which",
    NOT_INSTALLED: "what was asked for needs something that is not installed; the message says what",
    KEPT_BY_LAW: "not erased: a legal hold keeps it until it is lifted",
    NOT_ADMITTED: "the model may not serve: it has not passed the declared gates, or not by somebody independent",
}

EXIT_CODES: Final[dict[type[errors.BenneError], int]] = {
    errors.EventError: BAD_INPUT,
    errors.ObservationError: BAD_INPUT,
    errors.EngineUnavailable: NOT_INSTALLED,
    errors.RegistrationError: BAD_INPUT,
    errors.ModelError: BAD_INPUT,
    errors.WeightContractError: PROMISE_BROKEN,
    errors.InsufficientEvidence: TOO_LITTLE_KNOWN,
    errors.ExplanationError: PROMISE_BROKEN,
    errors.ConsentError: BAD_INPUT,
    errors.ConsentRequired: NO_CONSENT,
    errors.CategoryWithheld: NO_CONSENT,
    errors.WhatIfError: BAD_INPUT,
    errors.TextMissing: PROMISE_BROKEN,
    errors.DatasetError: BAD_INPUT,
    errors.SimulationError: BAD_INPUT,
    errors.QualityError: NOT_FIT,
    errors.QualityInputError: BAD_INPUT,
    errors.StoreError: STORE,
    errors.KeyRingError: BAD_INPUT,
    errors.VaultError: BAD_INPUT,
    errors.ErasureError: BAD_INPUT,
    errors.UnderLegalHold: KEPT_BY_LAW,
    errors.RightsError: BAD_INPUT,
    errors.GovernanceError: BAD_INPUT,
    errors.GatesChanged: NOT_ADMITTED,
    errors.NotValidated: NOT_ADMITTED,
    errors.NotIndependent: NOT_ADMITTED,
    errors.FairnessError: BAD_INPUT,
    errors.MonitoringError: BAD_INPUT,
    errors.GamingError: BAD_INPUT,
    errors.PolicyError: BAD_INPUT,
    errors.AccessError: BAD_INPUT,
    errors.BatchError: BAD_INPUT,
    errors.ProofError: BAD_INPUT,
    errors.ProofRejected: PROMISE_BROKEN,
    errors.ServiceError: BAD_INPUT,
    errors.ServiceBusy: STORE,
    errors.SigningError: BAD_INPUT,
    errors.SignatureInvalid: PROMISE_BROKEN,
    errors.AuditError: BAD_INPUT,
    errors.AuditWriteError: STORE,
}
"""A class that is not listed has the code of its parent."""


def exit_code_of(error: type[BaseException]) -> int:
    """The exit code of an error's class: its own, else that of its nearest listed parent.

    Examples
    --------
    >>> exit_code_of(errors.ConsentRequired), exit_code_of(errors.EventValueError), exit_code_of(KeyError)
    (4, 3, 1)
    """
    return next((EXIT_CODES[parent] for parent in error.__mro__ if parent in EXIT_CODES), UNEXPECTED)
