"""Personal information (15 %): how much verifiable, reliable information a member gives.

Not age, sex, family, education, where somebody lives, or how often they move.
"""

from __future__ import annotations

from functools import partial

from benne.features.categories import PERSONAL_INFORMATION
from benne.features.kernel.expressions import (
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Distinct,
    Ratio,
    Total,
    stream,
)
from benne.features.specification import FeatureSpec

__all__ = ["FEATURES"]

_all = stream("verifications")
_verified = _all.where(event="verified")
_lapsed = _all.where(event="lapsed")
_contact_changed = _all.where(event="changed", field=("phone", "email"))
_facts = stream("verified_facts")

_CREEMERS = "Creemers 2018, part IV: the fourth category of Sesame Credit"
_BERG = "Berg, Burg, Gombović & Puri 2020, Review of Financial Studies 33 (verifiable contact details)"
_THOMAS = "Thomas, Crook & Edelman, Credit Scoring and Its Applications, 2nd ed. 2017, ch. 4"

_feature = partial(
    FeatureSpec, category=PERSONAL_INFORMATION, owner="identity", gaming="medium",
    actionable="Verify more details")  # fmt: skip
_age = partial(
    _feature, unit="days", minimum=0.0, maximum=36600.0, direction=0, reason_group="tenure of verification",
    adverse_reason="Details were verified only recently", favourable_reason="Details were verified long ago and stand",
    rationale="Who can be reached under verified details for long is easier to hold to an agreement", source=_BERG,
    actionable=None, gaming="low")  # fmt: skip

FEATURES: tuple[FeatureSpec, ...] = (
    _feature("verified_fields", expression=Total(_facts, "change"), unit="fields", minimum=0.0, maximum=7.0,
        null_means=None, direction=-1, reason_group="verified details", label="Details verified and current",
        adverse_reason="Few details are verified", favourable_reason="Many details are verified",
        rationale="Verified details lower fraud and make a member reachable", source=_CREEMERS),
    _feature("verified_against_register", expression=Total(_facts, "strong_change"), unit="fields",
        minimum=0.0, maximum=7.0, null_means=None, direction=-1, reason_group="strength of verification",
        label="Details verified against a register", adverse_reason="Few or no details are verified against a register",
        favourable_reason="Details are verified against a register",
        rationale="A check against a register is hard to forge", source=_BERG,
        actionable="Verify a detail against a register"),
    _feature("verification_strength_mean",
        expression=Ratio(Total(_facts, "strength_change"), Total(_facts, "known_strength_change")),
        unit="strength 1 to 3", minimum=1.0, maximum=3.0, null_means="nothing verified now", direction=-1,
        reason_group="strength of verification",
        label="Average strength of verification", adverse_reason="Details are verified by weak checks only",
        favourable_reason="Details are verified by strong checks",
        rationale="A strong check is harder to pass with false details", source=_BERG,
        actionable="Verify details by a stronger check, such as a register"),
    _feature("details_confirmed_again", expression=Total(_facts, "confirmed"), unit="confirmations", minimum=0.0,
        maximum=1000.0, null_means=None, direction=-1, reason_group="consistency of details",
        label="Times a verified detail was confirmed again",
        adverse_reason="Few or no details were confirmed a second time",
        favourable_reason="Details were confirmed again and held",
        rationale="A detail that holds when it is checked again is likely to be true", source=_CREEMERS,
        actionable="Confirm a detail again before it runs out", gaming="high"),
    _feature("verification_methods", expression=Distinct(_verified, "method"), unit="methods", minimum=0.0, maximum=5.0,
        null_means=None, direction=-1, reason_group="strength of verification", label="Different ways of verification",
        adverse_reason="Details rest on one kind of check", favourable_reason="Details rest on several kinds of check",
        rationale="Independent checks confirm each other", source=_CREEMERS,
        actionable="Verify a detail in another way"),
    _feature("income_proof_verified",
        expression=Count(_verified.where(field=("income_proof", "employer")).within(730)), unit="verifications",
        minimum=0.0, maximum=1000.0, null_means=None, direction=-1, reason_group="verified details",
        label="Proofs of income or employment in two years", adverse_reason="No recent proof of income is on record",
        favourable_reason="Recent proof of income is on record",
        rationale="A proven income cannot be overstated", source=_THOMAS,
        actionable="Send a proof of income"),
    _feature("verifications_lapsed_730d", expression=Count(_lapsed.within(730)), unit="lapses",
        minimum=0.0, maximum=1000.0, null_means=None, direction=1, reason_group="lapsed details",
        label="Verifications that lapsed in two years", adverse_reason="Verified details were left to lapse",
        favourable_reason="Few or no verified details were left to lapse",
        rationale="Details that lapse make a member unreachable", source=_BERG,
        actionable="Renew details before they lapse"),
    _feature("contact_changes_365d",
        expression=Count(_contact_changed.within(365)),
        unit="changes", minimum=0.0, maximum=1000.0, null_means=None, direction=1, reason_group="stable contact",
        label="Changes of phone or e-mail in a year", adverse_reason="Contact details changed often",
        favourable_reason="Contact details are stable",
        rationale="A member who stays reachable can be reminded in time", source=_BERG, actionable=None, gaming="low"),
    _feature("days_since_contact_change", expression=DaysSinceLast(_contact_changed), unit="days", minimum=0.0,
        maximum=36600.0, null_means="phone and e-mail never changed", direction=0, reason_group="stable contact",
        label="Days since phone or e-mail last changed", adverse_reason="Contact details changed not long ago",
        favourable_reason="Contact details have stood for long",
        rationale="A member who stays reachable can be reminded in time", source=_BERG, actionable=None, gaming="low"),
    _feature("days_since_verification", expression=DaysSinceLast(_verified), unit="days", minimum=0.0, maximum=36600.0,
        null_means="nothing verified", direction=0, reason_group="freshness of details",
        label="Days since the last verification",
        adverse_reason="The last verification was long ago", favourable_reason="Details were verified recently",
        rationale="Fresh details are more likely to be right", source=_CREEMERS, actionable="Renew a verification"),
    _age("verification_tenure", label="Days since the first verification", null_means="nothing verified",
        expression=DaysSinceFirst(_verified)),
    _age("identity_verified_days", label="Days since the identity document was first verified",
        null_means="no identity document verified",
        expression=DaysSinceFirst(_verified.where(field="identity_document"))),
    _age("bank_account_verified_days", label="Days since a bank account was first verified",
        null_means="no bank account verified", expression=DaysSinceFirst(_verified.where(field="bank_account"))),
)  # fmt: skip
