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
    │   └── ModelDirectoryError    a saved model is corrupted, incomplete or from a newer Benne
    ├── ConsentError
    │   ├── ConsentRecordError     a consent record may not be written
    │   ├── ConsentRequired        no active consent covers what was asked
    │   └── CategoryWithheld       a withheld category reached something that would have used it
    ├── DatasetError               a real data set is missing or is not the known original
    ├── SimulationError            a simulated world cannot be made, or fails a check on what it must hold
    ├── QualityError               data are beyond a limit at which a build stops
    ├── QualityInputError          thresholds, a reference or counts of refusals are not what they must be
    ├── StoreError                 the database is missing, of another version, or unreachable
    └── AuditError                 what happens cannot be proved; then it does not happen
        ├── AuditRecordError       an audit record may not be written as given
        ├── AuditWriteError        the audit chain could not be written; nothing was kept
        └── AnchorError            an anchor file or its key is damaged, forged, or of another chain
"""

from __future__ import annotations


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


class AuditError(BenneError):
    """What happens cannot be proved; then it does not happen."""


class AuditRecordError(AuditError, ValueError):
    """An audit record may not be written as given."""


class AuditWriteError(AuditError, RuntimeError):
    """The audit chain could not be written; nothing was kept."""


class AnchorError(AuditError, ValueError):
    """An anchor file or its key is damaged, forged, or of another chain."""
