"""Every error Benne raises on purpose.

Each leaf also inherits the builtin that fits, so ``except ValueError`` works as it does
elsewhere. A message names the thing that is wrong, what it must be, what it was, and what
to do; it never contains a member's data.

::

    BenneError
    ├── EventError                 raw events break the event tables' contract
    │   ├── EventSchemaError       a table or column is missing, unknown or of another type
    │   └── EventValueError        rows hold values that cannot be
    ├── ObservationError           a (member, as_of) pair cannot be observed
    ├── EngineUnavailable          an engine's libraries or runtime are not there
    ├── RegistrationError          a feature may not enter the registry
    ├── ModelError                 the score model was asked for something it cannot do
    │   ├── ParameterError         a constructor argument is out of its domain
    │   ├── CategoryError          categories or weights are unknown, empty or overlapping
    │   ├── WeightContractError    the contract has no solution on these data
    │   ├── FeatureColumnsError    columns are missing, extra or duplicated
    │   ├── FeatureTypeError       a column has a type that is not scored
    │   ├── FeatureValueError      a value is out of range, infinite, or null where it may not be
    │   ├── LabelError             labels are null, of one class, or not binary
    │   ├── InsufficientEvidence   too little is left to score
    │   ├── ExplanationError       base, points and clipping do not add up to the score
    │   ├── ReferenceUnknown       too little is known of the members that others are compared with
    │   └── ModelDirectoryError    a saved model is corrupted, incomplete or from a newer Benne
    ├── ConsentError
    │   ├── ConsentRecordError     a consent record may not be written
    │   ├── ConsentRequired        no active consent covers what was asked
    │   └── CategoryWithheld       a withheld category reached something that would have used it
    ├── WhatIfError                what could be, or what has changed, cannot be said
    │   ├── WhatIfNotPossible      the moment, the action or what is known of the member does not carry it
    │   └── ChangeNotSplit         a change of score cannot be taken apart from what is still kept
    ├── TextMissing                no text of that key or language is in the catalogue
    ├── DatasetError               a real data set is missing or is not the known original
    ├── SimulationError            a simulated world cannot be made, or fails a check on what it must hold
    ├── QualityError               data are beyond a limit at which a build stops
    ├── QualityInputError          thresholds, a reference or counts of refusals are not what they must be
    ├── StoreError                 the database is missing, of another version, or unreachable
    ├── KeyRingError               a key ring is missing, damaged or open to others, or has no such key
    ├── VaultError                 a payload is unknown or damaged, or may not be stored as given
    │   └── Erased                 its member was erased, and what was known of them
    ├── ErasureError               an erasure or a legal hold cannot be as asked
    │   └── UnderLegalHold         the law keeps what should be erased
    ├── RightsError                a dispute, review, correction or notice cannot be as asked
    │   ├── CaseUnknown            nothing of that id is on record for whoever asks
    │   │   ├── DisputeUnknown
    │   │   ├── ReviewUnknown
    │   │   └── NoticeUnknown
    │   ├── StateChanged           somebody else was first, or it has come too far for this
    │   ├── ReviewerNotIndependent  whoever would decide took part before
    │   ├── DeadlineNotExtendable  the place gives no more time, or it was given already
    │   └── DeadlinePassed         the time in which one may ask is over
    ├── GovernanceError            a model may not serve as asked, or its validation cannot be made
    │   ├── GatesError             a file of gates is not as it must be
    │   ├── GatesChanged           gates are not those that were declared before the results
    │   ├── NotValidated           nobody's verdict lets the model serve
    │   ├── NotIndependent         whoever would validate a model made it
    │   ├── PromotionConflict      somebody else changed which model serves meanwhile
    │   └── RolloutError           a shadow or staged roll-out cannot be as asked
    ├── FairnessError              groups, cut-offs or protected attributes are not what they must be
    │   └── ProtectedAccessDenied  protected attributes are read for a stated audit only
    ├── MonitoringError            thresholds, rows or outcomes cannot be monitored as given
    │   └── ReferenceMismatch      what is monitored belongs to another model or schema
    ├── GamingError                an attack on a score cannot be tried as asked
    ├── PolicyError                policies do not say what they must, or allow what may not be
    ├── AccessError
    │   ├── AccessDenied           whoever asks has not shown who they are
    │   ├── RecipientError         a recipient is unknown, retired, or not to be registered as given
    │   └── CredentialError        a key of access, or what tokens are checked with, is not as it must be
    ├── BatchError
    │   ├── BatchChanged           a batch would go on with other inputs than it began with
    │   └── BatchDamaged           what a batch left behind is not what is on record, or somebody else is at it
    ├── ProofError
    │   ├── ProofNotIssued         what a proof should state is not so, or may not be stated
    │   └── ProofRejected          a proof must not be relied on
    ├── SigningError
    │   ├── SigningKeyError        a key that signs, or that verifies, is not as it must be
    │   └── SignatureInvalid       a signed statement is forged, changed, or of another kind
    ├── AuditError                 what happens cannot be proved; then it does not happen
    │   ├── AuditRecordError       an audit record may not be written as given
    │   ├── AuditWriteError        the audit chain could not be written; nothing was kept
    │   └── AnchorError            an anchor file or its key is damaged, forged, or of another chain
    └── ServiceError               the service cannot do what was asked of it
        ├── ServiceBusy            too much is waiting, or the service is on its way down
        ├── RateExceeded           one asker sent more requests than are allowed
        ├── SettingsError          a setting is missing, unknown, or out of its domain
        ├── DecisionUnknown        no decision of that id is on record
        └── ProblemReceived        a service answered with a problem; raised by its client
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class BenneError(Exception):
    """Base of every error Benne raises on purpose."""


class EventError(BenneError):
    """Raw events break the contract of the event tables."""


class EventSchemaError(EventError, TypeError):
    """A table or column is missing, unknown, or of another type than declared."""


class EventValueError(EventError, ValueError):
    """Rows of an event table hold values that cannot be."""


class ObservationError(BenneError, ValueError):
    """A (member, as_of) pair cannot be observed."""


class EngineUnavailable(BenneError, ImportError):
    """An engine's libraries or runtime are not there."""


class RegistrationError(BenneError, ValueError):
    """A feature may not enter the registry."""


class ModelError(BenneError):
    """The score model was asked for something it cannot do."""


class ParameterError(ModelError, ValueError):
    """A constructor argument is out of its domain."""


class CategoryError(ModelError, ValueError):
    """Categories or their weights are unknown, empty, overlapping or incomplete."""


class WeightContractError(ModelError, ValueError):
    """The weight contract has no solution on these data."""


class FeatureColumnsError(ModelError, ValueError):
    """Columns are missing, extra or duplicated."""


class FeatureTypeError(ModelError, TypeError):
    """A column has a type that is not scored."""


class FeatureValueError(ModelError, ValueError):
    """A value is out of range, infinite, or null where it may not be."""


class LabelError(ModelError, ValueError):
    """Labels are null, of one class only, or not binary."""


class InsufficientEvidence(ModelError, ValueError):
    """Too little is left to score."""


class ExplanationError(ModelError, ArithmeticError):
    """Base, points and clipping do not add up to the score."""


class ReferenceUnknown(ModelError, LookupError):
    """Too little is known of the members that others are compared with."""


class ModelDirectoryError(ModelError, ValueError):
    """A saved model is corrupted, incomplete, or was written by a newer Benne."""


class ConsentError(BenneError):
    """Something about consent does not hold."""


class ConsentRecordError(ConsentError, ValueError):
    """A consent record may not be written as given."""


class ConsentRequired(ConsentError, PermissionError):
    """No active consent covers what was asked."""


class CategoryWithheld(ConsentError, ValueError):
    """A withheld category reached something that would have used it."""


class WhatIfError(BenneError):
    """What could be, or what has changed, cannot be said."""


class WhatIfNotPossible(WhatIfError, ValueError):
    """The moment, the action or what is known of the member does not carry a what-if."""


class ChangeNotSplit(WhatIfError, ValueError):
    """A change of score cannot be taken apart from what is still kept."""


class TextMissing(BenneError, KeyError):
    """No text of that key or language is in the catalogue."""


class DatasetError(BenneError, FileNotFoundError):
    """A real data set is missing or is not the known original."""


class SimulationError(BenneError, ValueError):
    """A simulated world cannot be made as asked, or fails a check on what it must hold."""


class QualityError(BenneError, ValueError):
    """Data are beyond a limit at which a build stops."""


class QualityInputError(BenneError, ValueError):
    """Thresholds, a reference or counts of refusals are not what they must be."""


class StoreError(BenneError, RuntimeError):
    """The database is missing, of another version, or unreachable."""


class KeyRingError(BenneError, ValueError):
    """A key ring is missing, damaged or open to others, or has no such key."""


class VaultError(BenneError, ValueError):
    """A payload is unknown or damaged, or may not be stored as given."""


class Erased(VaultError, LookupError):
    """The member was erased, and what was known of them."""


class ErasureError(BenneError, ValueError):
    """An erasure or a legal hold cannot be as asked."""


class UnderLegalHold(ErasureError, PermissionError):
    """The law keeps what should be erased, until the hold is lifted.

    Parameters
    ----------
    message : str
    holds : tuple
        The holds that stand, for whoever may know them; not in the message.
    """

    def __init__(self, message: str, holds: tuple[object, ...] = ()) -> None:
        super().__init__(message)
        self.holds = holds


class RightsError(BenneError, ValueError):
    """A dispute, review, correction or notice cannot be as asked."""


class CaseUnknown(RightsError, KeyError):
    """Nothing of that id is on record for whoever asks."""

    def __str__(self) -> str:
        """The message itself; a KeyError would quote it."""
        return str(self.args[0])


class DisputeUnknown(CaseUnknown, KeyError):
    """No such dispute is on record for whoever asks."""


class ReviewUnknown(CaseUnknown, KeyError):
    """No such review is on record for whoever asks."""


class NoticeUnknown(CaseUnknown, KeyError):
    """No such notice is on record for whoever asks."""


class StateChanged(RightsError, RuntimeError):
    """Somebody else was first, or it has come too far for what was asked; read it again."""


class ReviewerNotIndependent(RightsError, PermissionError):
    """Whoever would decide a review took part in the decision, or has handled the case before."""


class DeadlineNotExtendable(RightsError, ValueError):
    """The place gives no more time for an answer, or it was given already."""


class DeadlinePassed(RightsError, ValueError):
    """The time in which one may ask for something is over."""


class GovernanceError(BenneError, ValueError):
    """A model may not serve as asked, or its validation cannot be made."""


class GatesError(GovernanceError, ValueError):
    """A file of gates is not as it must be."""


class GatesChanged(GovernanceError, RuntimeError):
    """Gates are not those that were declared before the results."""


class NotValidated(GovernanceError, PermissionError):
    """Nobody's verdict lets the model serve: there is none, it failed, or it is of other files."""


class NotIndependent(GovernanceError, PermissionError):
    """Whoever would validate a model made it."""


class PromotionConflict(GovernanceError, RuntimeError):
    """Somebody else changed which model serves since it was looked up."""


class RolloutError(GovernanceError, ValueError):
    """A shadow or staged roll-out cannot be as asked."""


class FairnessError(BenneError, ValueError):
    """Groups, cut-offs or protected attributes are not what they must be."""


class ProtectedAccessDenied(FairnessError, PermissionError):
    """Protected attributes are read for a stated audit only, by whoever may, on record."""


class MonitoringError(BenneError, ValueError):
    """Thresholds, rows or outcomes cannot be monitored as given."""


class ReferenceMismatch(MonitoringError, ValueError):
    """What is monitored belongs to another model or schema than the reference."""


class GamingError(BenneError, ValueError):
    """An attack on a score cannot be tried as asked."""


class PolicyError(BenneError, ValueError):
    """Policies do not say what they must, or would allow what may not be."""


class AccessError(BenneError):
    """Something about who may ask does not hold."""


class AccessDenied(AccessError, PermissionError):
    """Whoever asks has not shown who they are.

    The message is the same whatever the reason: it must not help to guess.

    Parameters
    ----------
    reason : str
        Why, for the audit and never for the caller.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("Credentials must be known and current, got others. Ask whoever runs Benne for new ones.")
        self.reason = reason


class RecipientError(AccessError, ValueError):
    """A recipient is unknown, retired, or may not be registered as given."""


class CredentialError(AccessError, ValueError):
    """A key of access, or what tokens are checked with, is not as it must be."""


class BatchError(BenneError):
    """A batch of scores cannot begin, go on or end."""


class BatchChanged(BatchError, ValueError):
    """A batch would go on with other inputs than it began with."""


class BatchDamaged(BatchError, RuntimeError):
    """What a batch left behind is not what is on record, or somebody else is at it."""


class ProofError(BenneError):
    """Something about a member's proof does not hold."""


class ProofNotIssued(ProofError, ValueError):
    """What a proof should state is not so, or may not be stated."""


class ProofRejected(ProofError, ValueError):
    """A proof must not be relied on."""


class SigningError(BenneError):
    """Something about a signature does not hold."""


class SigningKeyError(SigningError, ValueError):
    """A key that signs, or that verifies, is not as it must be."""


class SignatureInvalid(SigningError, ValueError):
    """A signed statement is forged, was changed, or is of another kind."""


class AuditError(BenneError):
    """What happens cannot be proved; then it does not happen."""


class AuditRecordError(AuditError, ValueError):
    """An audit record may not be written as given."""


class AuditWriteError(AuditError, RuntimeError):
    """The audit chain could not be written; nothing was kept."""


class AnchorError(AuditError, ValueError):
    """An anchor file or its key is damaged, forged, or of another chain."""


class ServiceError(BenneError):
    """The service cannot do what was asked of it."""


class ServiceBusy(ServiceError, RuntimeError):
    """Too much is waiting, or the service is on its way down."""


class RateExceeded(ServiceError, RuntimeError):
    """One asker sent more requests than are allowed."""


class SettingsError(ServiceError, ValueError):
    """A setting is missing, unknown, or out of its domain."""


class DecisionUnknown(ServiceError, KeyError):
    """No decision of that id is on record."""

    def __str__(self) -> str:
        """The message itself; a KeyError would quote it."""
        return str(self.args[0])


class ProblemReceived(ServiceError, RuntimeError):
    """A service answered with a problem (RFC 9457).

    Parameters
    ----------
    slug : str
        What kind, such as ``consent-withdrawn``.
    status : int
        Of HTTP.
    detail : str, optional
        What must be done about it.
    decision_id : str, optional
        The refusal on record.
    errors : sequence of mapping, optional
        Where a body is wrong: ``place``, ``must``, and ``allowed`` where there are only some words.
    """

    def __init__(
        self,
        slug: str,
        status: int,
        detail: str | None = None,
        decision_id: str | None = None,
        errors: Sequence[Mapping[str, object]] = (),
    ) -> None:
        told = [f"The service must answer, got the problem {slug} ({status}).", *([detail] if detail else [])]
        super().__init__(" ".join([*told, *(_place_in_words(one) for one in errors)]))
        self.slug = slug
        self.status = status
        self.detail = detail
        self.decision_id = decision_id
        self.errors = tuple(errors)


def _place_in_words(error: Mapping[str, object]) -> str:
    place, allowed = error.get("place"), error.get("allowed")
    told = ".".join(str(part) for part in place) if isinstance(place, list) else str(place)
    return f"{told}: {error.get('must')}{'' if allowed is None else f', allowed: {allowed}'}."
