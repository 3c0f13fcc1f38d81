"""The names that others rely on. Taking one away, or changing its call, breaks somebody."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest

PUBLIC = {
    "benne": {
        "BenneError",
        "ConsentLedger",
        "ConsentMask",
        "CreditScoreModel",
        "Scorer",
        "build_features",
    },
    "benne.features": {"ConsentMask", "build_features", "registry"},
    "benne.models": {"CreditScoreModel"},
    "benne.scoring": {"ConsentLedger", "Scorer"},
    "benne.errors": {
        "FairnessError",
        "GamingError",
        "GatesChanged",
        "GatesError",
        "GovernanceError",
        "MonitoringError",
        "NotIndependent",
        "NotValidated",
        "PromotionConflict",
        "ProtectedAccessDenied",
        "ReferenceMismatch",
        "RolloutError",
        "AccessDenied",
        "AccessError",
        "CredentialError",
        "PolicyError",
        "ProofError",
        "ProofNotIssued",
        "ProofRejected",
        "RecipientError",
        "AnchorError",
        "AuditError",
        "AuditRecordError",
        "AuditWriteError",
        "BatchChanged",
        "BatchDamaged",
        "BatchError",
        "BenneError",
        "CategoryError",
        "CategoryWithheld",
        "ConsentError",
        "ConsentRecordError",
        "ConsentRequired",
        "DatasetError",
        "EventError",
        "EventSchemaError",
        "EventValueError",
        "ExplanationError",
        "FeatureColumnsError",
        "FeatureTypeError",
        "FeatureValueError",
        "InsufficientEvidence",
        "LabelError",
        "ModelDirectoryError",
        "ModelError",
        "ObservationError",
        "ParameterError",
        "QualityError",
        "QualityInputError",
        "EngineUnavailable",
        "Erased",
        "ErasureError",
        "KeyRingError",
        "UnderLegalHold",
        "VaultError",
        "CaseUnknown",
        "DeadlineNotExtendable",
        "DeadlinePassed",
        "DisputeUnknown",
        "NoticeUnknown",
        "ReviewUnknown",
        "ReviewerNotIndependent",
        "RightsError",
        "StateChanged",
        "ReferenceUnknown",
        "RegistrationError",
        "DecisionUnknown",
        "ProblemReceived",
        "RateExceeded",
        "ServiceBusy",
        "ServiceError",
        "SettingsError",
        "SignatureInvalid",
        "SigningError",
        "SigningKeyError",
        "SimulationError",
        "ChangeNotSplit",
        "WhatIfError",
        "WhatIfNotPossible",
        "TextMissing",
        "StoreError",
        "WeightContractError",
    },
}

CALLS = {
    ("benne.features", "build_features"): "events, observations, *, consents, engine='duckdb'",
    ("benne.features", "ConsentMask.all_granted"): "*, reason",
    ("benne.models", "CreditScoreModel.fit"): "self, X, y",
    ("benne.models", "CreditScoreModel.predict_proba"): "self, X",
    ("benne.models", "CreditScoreModel.predict_score"): "self, X, withheld=()",
    ("benne.models", "CreditScoreModel.explain"): "self, X, withheld=()",
    ("benne.models", "CreditScoreModel.save"): "self, path",
}


@pytest.mark.parametrize("module", PUBLIC)
def test_the_pinned_names_can_be_imported(module):
    missing = {name for name in PUBLIC[module] if not hasattr(importlib.import_module(module), name)}
    assert missing == set()


@pytest.mark.parametrize("module", ["benne", "benne.features", "benne.models", "benne.scoring"])
def test_the_pinned_names_are_declared_public(module):
    declared = set(importlib.import_module(module).__all__)
    assert {name for name in PUBLIC[module] if name not in declared and name != "registry"} == set()


def test_the_umbrella_exports_exactly_the_pinned_names():
    assert set(importlib.import_module("benne").__all__) == PUBLIC["benne"]


def test_every_error_class_is_pinned():
    errors = importlib.import_module("benne.errors")
    classes = {name for name, member in vars(errors).items() if inspect.isclass(member)}
    assert classes == PUBLIC["benne.errors"]


@pytest.mark.parametrize(("module", "name"), CALLS)
def test_the_pinned_calls_keep_their_parameters(module, name):
    called = importlib.import_module(module)
    for part in name.split("."):
        called = getattr(called, part)
    pinned, *added = split_parameters(parameters(called), CALLS[module, name])
    assert pinned == CALLS[module, name]
    assert [new for new in added if "=" not in new and new != "*"] == []


def test_the_model_is_made_from_categories_weights_and_tolerance_first():
    model = importlib.import_module("benne.models").CreditScoreModel
    assert parameters(model).startswith("categories=None, weights=None, tolerance=0.0")


def test_every_name_declared_public_exists(module_name):
    module = importlib.import_module(module_name)
    assert [name for name in getattr(module, "__all__", ()) if not hasattr(module, name)] == []


def test_importing_benne_loads_nothing_heavy():
    code = "import sys, benne; print([m for m in ('numpy', 'pandas', 'lightgbm', 'mlflow') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_scoring_does_not_load_mlflow():
    code = "import sys, benne.scoring, benne.models; print('mlflow' in sys.modules, 'shap' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "False False"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'SesameScore'"):
        importlib.import_module("benne").SesameScore  # noqa: B018


def split_parameters(actual: str, pinned: str) -> list[str]:
    """The beginning that should equal ``pinned``, and the parameters added behind it."""
    names = actual.split(", ")
    width = len(pinned.split(", "))
    return [", ".join(names[:width]), *names[width:]]


def parameters(called: object) -> str:
    """The parameters without their annotations."""
    signature = inspect.signature(called)
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(signature.replace(parameters=bare, return_annotation=inspect.Signature.empty))[1:-1]
