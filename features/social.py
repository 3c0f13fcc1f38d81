"""Social relationships (5 %): how friendly and lasting dealings are.

Never who the others are, what they say, or what group they belong to; and another member
counts only while they consent to social features themselves.
"""

from __future__ import annotations

from functools import partial

from benne.features.categories import SOCIAL
from benne.features.kernel.expressions import Count, DaysSinceFirst, Difference, Distinct, Ratio, Sum, Total, stream
from benne.features.specification import FeatureSpec

__all__ = ["FEATURES"]

_all = stream("interactions").excluding(kind=("report", "block"))  # a complaint is no dealing
_given = _all.where(direction="given")
_received = _all.where(direction="received")
_reports = stream("interactions").where(direction="received", kind="report")
_ratings = _received.where(kind="rating").known("value")

_CREEMERS = "Creemers 2018, part IV: the fifth category of Sesame Credit"
_LIN = "Lin, Prabhala & Viswanathan 2013, Management Science 59 (relationships in peer-to-peer lending)"
_RESNICK = "Resnick & Zeckhauser 2002, Advances in Applied Microeconomics 11 (ratings between traders)"
_MESTER = "Mester, Nakamura & Renault 2007, Review of Financial Studies 20 (transaction accounts)"

_feature = partial(
    FeatureSpec, category=SOCIAL, owner="trust and safety", gaming="high", jurisdictions_off=("eu",),
    actionable=None)  # fmt: skip
_count = partial(_feature, minimum=0.0, maximum=100000.0, null_means=None)

FEATURES: tuple[FeatureSpec, ...] = (
    _count("relationships_365d", expression=Distinct(_all.within(365), "other_id"), unit="members", direction=0,
        reason_group="breadth of relationships", label="Members dealt with in a year",
        adverse_reason="There were dealings with few members",
        favourable_reason="There were dealings with many members",
        rationale="Repeated dealings build reputation that default would cost", source=_LIN),
    _feature("relationship_tenure", expression=DaysSinceFirst(_all), unit="days", minimum=0.0, maximum=36600.0,
        null_means="no dealings with consenting members", direction=0, reason_group="lasting relationships",
        label="Days since the first dealing with a member", adverse_reason="Dealings with members are recent",
        favourable_reason="Dealings with members have lasted long",
        rationale="Relationships that last are kept by keeping word", source=_LIN, gaming="low"),
    _count("lasting_contacts", expression=Total(stream("contacts"), "change"), unit="members", direction=-1,
        reason_group="lasting relationships", label="Members with dealings both ways for half a year or longer",
        adverse_reason="There are few lasting dealings both ways",
        favourable_reason="There are lasting dealings both ways with several members",
        rationale="Relationships that last and go both ways are costly to feign and to lose", source=_LIN,
        gaming="medium"),
    _feature("reciprocity_share", unit="share", minimum=0.0, maximum=1.0,
        expression=Ratio(
            Difference(Sum(Distinct(_given, "other_id"), Distinct(_received, "other_id")), Distinct(_all, "other_id")),
            Distinct(_all, "other_id")),
        null_means="no dealings with consenting members", direction=-1, reason_group="reciprocity",
        label="Share of members with dealings both ways", adverse_reason="Dealings mostly go one way",
        favourable_reason="Dealings go both ways", rationale="Reciprocity separates relationships from contacts",
        source=_LIN),
    _feature("positive_rating_share_365d", unit="share", minimum=0.0, maximum=1.0,
        expression=Ratio(Count(_ratings.at_least(value=4).within(365)), Count(_ratings.within(365))),
        null_means="no ratings received from consenting members", direction=-1, reason_group="ratings received",
        label="Share of good ratings received in a year", adverse_reason="Some ratings received were poor",
        favourable_reason="Ratings received were good",
        rationale="Ratings by those dealt with foretell conduct in later dealings", source=_RESNICK,
        actionable="Deliver as agreed with other members"),
    _count("reports_upheld_365d", expression=Count(_reports.at_least(value=1).within(365)),
        unit="reports", direction=1, reason_group="upheld reports", label="Reports upheld in a year",
        adverse_reason="A report by another member was upheld", favourable_reason="No report was upheld",
        rationale="An upheld report is misconduct that was examined", source=_RESNICK, gaming="low",
        actionable="Keep to what was agreed with other members"),
    _count("endorsements_received_365d",
        expression=Distinct(_received.where(kind="endorsement").within(365), "other_id"),
        unit="members", direction=-1, reason_group="endorsements", label="Members who gave an endorsement in a year",
        adverse_reason="Few members gave an endorsement", favourable_reason="Several members gave an endorsement",
        rationale="An endorsement stakes the endorser's own standing", source=_LIN),
    _count("settlements_amicable", expression=Count(_all.where(kind="settlement")), unit="settlements", direction=0,
        reason_group="settling disagreements", label="Disagreements settled amicably",
        adverse_reason="The number of disagreements settled amicably is one seen more often before missed payments",
        favourable_reason="The number of disagreements settled amicably is one seen less often before missed payments",
        rationale="Settling in good faith is honouring an agreement under strain", source=_CREEMERS),
    _count("counterparties_365d", expression=Distinct(stream("payments").within(365), "counterparty_id"),
        unit="counterparties", direction=0, reason_group="breadth of relationships",
        label="Different counterparties in a year", adverse_reason="There were few counterparties",
        favourable_reason="There were many counterparties",
        rationale="Breadth of dealings shows an established economic life", source=_MESTER),
)  # fmt: skip
