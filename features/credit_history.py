"""Credit history (35 %): what was promised before, and how it was kept."""

from __future__ import annotations

from functools import partial

from benne.features.categories import CREDIT_HISTORY
from benne.features.kernel.expressions import (
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Largest,
    Ratio,
    Total,
    stream,
)
from benne.features.specification import FeatureSpec

__all__ = ["FEATURES"]

_assessed = stream("delinquency").where(assessed=1)
_on_time = _assessed.at_most(days_past_due=0)
_late = stream("delinquency").at_least(days_past_due=1)
_late_30 = stream("delinquency").at_least(days_past_due=30)
_late_60 = stream("delinquency").at_least(days_past_due=60)
_opened = stream("obligation_events").where(event="opened")

_THOMAS = "Thomas, Crook & Edelman, Credit Scoring and Its Applications, 2nd ed. 2017, ch. 4"
_FICO = "myFICO, What's in my FICO Scores: payment history"
_YEH = "Yeh & Lien 2009, Expert Systems with Applications 36"

_feature = partial(FeatureSpec, category=CREDIT_HISTORY, owner="credit risk", gaming="low")
_on_time_feature = partial(
    _feature,
    unit="share",
    minimum=0.0,
    maximum=1.0,
    null_means="nothing fell due in the window",
    direction=-1,
    reason_group="paying on time",
    adverse_reason="Some payments were made after their due date",
    favourable_reason="Payments were made on time",
    rationale="Past punctuality is the best single predictor of future punctuality",
    source=_FICO,
    actionable="Pay each instalment by its due date",
)
_late_count = partial(
    _feature,
    unit="months or instalments",
    minimum=0.0,
    maximum=1000.0,
    null_means=None,
    direction=1,
    reason_group="serious delays",
    adverse_reason="Payments were a month or more late",
    favourable_reason="No payment was a month or more late",
    rationale="Delays of a month and more foreshadow default far better than short ones",
    source=_THOMAS,
    actionable="Keep payments from becoming a month late",
)
_worst = partial(
    _feature,
    unit="days past due",
    minimum=0.0,
    maximum=3600.0,
    null_means="nothing fell due in the window",
    direction=1,
    reason_group="longest delay",
    adverse_reason="The longest recent delay was long",
    favourable_reason="There was no long delay recently",
    rationale="How far a member let a delay run shows how near default they came",
    source=_YEH,
    actionable="Settle what is overdue before the delay grows",
)

FEATURES: tuple[FeatureSpec, ...] = (
    _on_time_feature("on_time_share_90d", label="Share paid on time in the last 90 days",
        expression=Ratio(Count(_on_time.within(90)), Count(_assessed.within(90)))),
    _on_time_feature("on_time_share_365d", label="Share paid on time in the last year",
        expression=Ratio(Count(_on_time.within(365)), Count(_assessed.within(365)))),
    _on_time_feature("on_time_share_life", label="Share ever paid on time",
        expression=Ratio(Count(_on_time), Count(_assessed))),
    _feature("late_count_30d", unit="months or instalments", minimum=0.0, maximum=1000.0, null_means=None, direction=1,
        expression=Count(_late.within(30)), reason_group="paying on time",
        label="Payments late in the last 30 days", adverse_reason="A payment was late in the last 30 days",
        favourable_reason="No payment was late in the last 30 days",
        rationale="A delay that is happening now matters more than an old one", source=_YEH,
        actionable="Settle what is overdue now"),
    _late_count("late_30_count_90d", label="Delays of 30 days or more in the last 90 days",
        expression=Count(_late_30.within(90))),
    _late_count("late_30_count_365d", label="Delays of 30 days or more in the last year",
        expression=Count(_late_30.within(365))),
    _late_count("late_30_count_life", label="Delays of 30 days or more ever", expression=Count(_late_30)),
    _late_count("late_60_count_180d", label="Delays of 60 days or more in the last 180 days",
        expression=Count(_late_60.within(180))),
    _late_count("late_60_count_life", label="Delays of 60 days or more ever", expression=Count(_late_60)),
    _worst("worst_days_past_due_30d", label="Longest delay in the last 30 days",
        expression=Largest(stream("delinquency").within(30), "days_past_due")),
    _worst("worst_days_past_due_90d", label="Longest delay in the last 90 days",
        expression=Largest(stream("delinquency").within(90), "days_past_due")),
    _worst("worst_days_past_due_365d", label="Longest delay in the last year",
        expression=Largest(stream("delinquency").within(365), "days_past_due")),
    _feature("days_past_due_total_180d", unit="days past due", minimum=0.0, maximum=36000.0, null_means=None,
        direction=1, expression=Total(stream("delinquency").within(180), "days_past_due"),
        reason_group="longest delay", label="Days late added up over the last 180 days",
        adverse_reason="Delays of the last half-year add up to many days",
        favourable_reason="Delays of the last half-year add up to few days or none",
        rationale="Frequency and length of delays together say more than either", source=_YEH,
        actionable="Pay each instalment by its due date"),
    _feature("days_since_late", unit="days", minimum=0.0, maximum=36600.0, null_means="never late", direction=-1,
        expression=DaysSinceLast(_late), reason_group="time since a delay", label="Days since the last late payment",
        adverse_reason="A payment was late not long ago", favourable_reason="The last late payment lies long back",
        rationale="The weight of a delay fades as the member pays on time after it", source=_FICO,
        actionable="Keep paying on time; the effect of the delay fades"),
    _feature("days_since_late_30", unit="days", minimum=0.0, maximum=36600.0, null_means="never 30 days late",
        direction=-1, expression=DaysSinceLast(_late_30), reason_group="time since a delay",
        label="Days since a payment was 30 days late", adverse_reason="A payment was a month late not long ago",
        favourable_reason="Any delay of a month lies long back",
        rationale="The weight of a serious delay fades as the member pays on time after it", source=_FICO,
        actionable="Keep paying on time; the effect of the delay fades"),
    _feature("overdue_amount", unit="minor units", minimum=0.0, maximum=1e12, null_means=None, direction=1,
        expression=Total(stream("arrears"), "amount"), reason_group="overdue now", label="Amount overdue now",
        adverse_reason="An amount is overdue now", favourable_reason="Nothing is overdue",
        rationale="What is overdue now is the first step of any later default", source=_THOMAS,
        actionable="Pay the overdue amount"),
    _feature("late_statement_amount_30d", unit="minor units", minimum=-1e12, maximum=1e12, null_means=None, direction=0,
        expression=Total(stream("account_status").where(status="late").within(30), "statement_amount"),
        reason_group="overdue now", label="Last statement of an account reported late",
        adverse_reason="A large statement was reported late", favourable_reason="No statement was reported late",
        rationale="The same delay weighs more on a larger statement", source=_YEH,
        actionable="Settle the account that is reported late"),
    _feature("months_assessed", unit="months or instalments", minimum=0.0, maximum=100000.0, null_means=None,
        direction=0, expression=Count(_assessed), reason_group="length of history",
        label="Payments and reported months on record", adverse_reason="Few payments are on record yet",
        favourable_reason="Many payments are on record", rationale="A longer record leaves less uncertainty",
        source=_FICO, actionable="The record grows with each payment"),
    _feature("days_on_record", unit="days", minimum=0.0, maximum=36600.0, null_means="nothing on record", direction=0,
        expression=DaysSinceFirst(_assessed), reason_group="length of history",
        label="Days since the first payment due",
        adverse_reason="The payment record is short", favourable_reason="The payment record is long",
        rationale="A longer record leaves less uncertainty", source=_FICO, actionable=None),
    _feature("days_since_first_obligation", unit="days", minimum=0.0, maximum=36600.0,
        null_means="no contract on record",
        direction=-1, expression=DaysSinceFirst(_opened), reason_group="length of history",
        label="Age of the oldest contract", adverse_reason="The oldest contract is recent",
        favourable_reason="The oldest contract has run long", rationale="Length of credit history lowers risk",
        source=_FICO, actionable=None),
    _feature("obligations_opened_365d", unit="contracts", minimum=0.0, maximum=1000.0, null_means=None, direction=1,
        expression=Count(_opened.within(365)), reason_group="new contracts", label="Contracts opened in the last year",
        adverse_reason="Several contracts were opened in the last year",
        favourable_reason="Few contracts were opened in the last year",
        rationale="Several new contracts in a short time precede strain", source=_FICO,
        actionable="Space new contracts out"),
    _feature("obligations_active", unit="contracts", minimum=0.0, maximum=1000.0, null_means=None, direction=0,
        expression=Total(stream("running_contracts"), "change"), reason_group="running contracts",
        label="Contracts running now",
        adverse_reason="The number of contracts running at once is one seen more often before missed payments",
        favourable_reason="The number of contracts running at once is one seen less often before missed payments",
        rationale="Running contracts show experience, and too many show strain", source=_THOMAS, actionable=None),
    _feature("adverse_items_live", unit="items", minimum=0.0, maximum=1000.0, null_means=None, direction=1,
        expression=Total(stream("listed_items"), "change"), reason_group="listed items",
        label="Listed defaults and collections",
        adverse_reason="A default, write-off or collection is listed",
        favourable_reason="No default, write-off or collection is listed",
        rationale="A listed default is a default already seen", source=_THOMAS,
        actionable="Settle the item, or dispute it if it is wrong"),
)  # fmt: skip
