"""Ability to honour agreements (20 %): stable income and assets, set against what is owed."""

from __future__ import annotations

from functools import partial

from benne.features.categories import ABILITY
from benne.features.kernel.expressions import (
    ActivePeriods,
    Count,
    Difference,
    Distinct,
    Expression,
    Largest,
    Latest,
    Ratio,
    Scaled,
    Smallest,
    Total,
    Variation,
    stream,
)
from benne.features.specification import FeatureSpec

__all__ = ["FEATURES"]

_incomes = stream("incomes")
_not_earned = ("interest", "refund", "chargeback", "top_up")  # own money sent round is no income
_inflow = stream("payments").where(direction="in").excluding(status="failed", kind=_not_earned)
_outflow = stream("payments").where(direction="out").excluding(status="failed")
_account = stream("balances").where(kind="account")
_saved = stream("balances").where(kind=("savings", "asset"))
_reported = stream("account_status")
_used = _reported.known("limit", "statement_amount")

_HALF_YEAR = 6.0
_QUARTER = 3.0
_MOST_VARIED = 5**0.5  # everything in one of six periods

_THOMAS = "Thomas, Crook & Edelman, Credit Scoring and Its Applications, 2nd ed. 2017, ch. 6 (affordability)"
_MESTER = "Mester, Nakamura & Renault 2007, Review of Financial Studies 20 (transaction accounts)"
_DEY = "Dey, Djoudad & Terajima 2008, Bank of Canada Review (debt service ratio and arrears)"
_GROSS = "Gross & Souleles 2002, Quarterly Journal of Economics 117 (credit limits)"
_YEH = "Yeh & Lien 2009, Expert Systems with Applications 36"

_income_180d = Total(_incomes.within(180), "amount")

_feature = partial(FeatureSpec, category=ABILITY, owner="affordability", gaming="low")
_money = partial(_feature, unit="minor units", minimum=-1e12, maximum=1e12)
_paid = partial(_money, minimum=0.0)
_inflows = partial(
    _paid, null_means=None, direction=-1, reason_group="money coming in",
    adverse_reason="Little money comes in each month", favourable_reason="A good deal of money comes in each month",
    rationale="Obligations are honoured out of what comes in", source=_MESTER, actionable=None,
    gaming="high")  # fmt: skip
_cover = partial(
    _money, null_means="no reading in the window", direction=-1, reason_group="reserves",
    adverse_reason="Reserves on the account are small", favourable_reason="There are reserves on the account",
    rationale="Liquid reserves absorb a shock before a due is missed", source=_MESTER,
    actionable="Keep a reserve on the account", gaming="medium")  # fmt: skip
_repayments = partial(
    _paid, direction=-1, reason_group="amounts repaid", adverse_reason="The amounts repaid are small",
    favourable_reason="Substantial amounts are repaid", rationale="Amounts paid show what a member can pay",
    source=_YEH, actionable="Pay more than the minimum", gaming="medium")  # fmt: skip


def _monthly(total: Expression, months: float) -> Expression:
    return Scaled(total, months)


FEATURES: tuple[FeatureSpec, ...] = (
    _paid("income_monthly_180d", expression=_monthly(_income_180d, _HALF_YEAR), null_means=None, direction=-1,
        reason_group="income level", label="Average monthly income, half a year",
        adverse_reason="The income on record is low", favourable_reason="The income on record is good",
        rationale="Obligations are honoured out of income", source=_THOMAS,
        actionable="Let all income be recorded"),
    _feature("income_months_180d", expression=ActivePeriods(_incomes), unit="months", minimum=0.0, maximum=6.0,
        null_means=None, direction=-1, reason_group="income stability", label="Months with income, of six",
        adverse_reason="Income did not come every month", favourable_reason="Income came every month",
        rationale="Interruptions of income precede arrears", source=_THOMAS, actionable=None),
    _feature("income_variation_180d", expression=Variation(_incomes, "amount"), unit="times the average",
        minimum=0.0, maximum=_MOST_VARIED, null_means="no income in the window", direction=1,
        reason_group="income stability", label="How much monthly income varies",
        adverse_reason="Income varies a lot from month to month", favourable_reason="Income is steady",
        rationale="Steady income can carry steady obligations", source=_THOMAS, actionable=None),
    _feature("regular_income_share_365d",
        expression=Ratio(Total(_incomes.where(regular=1).within(365), "amount"), Total(_incomes.within(365), "amount")),
        unit="share", minimum=0.0, maximum=1.0, null_means="no income in the window", direction=-1,
        reason_group="income stability", label="Part of a year's income that recurs",
        adverse_reason="Little of the income recurs", favourable_reason="Most of the income recurs",
        rationale="Recurring income is the part that can be planned with", source=_THOMAS, actionable=None),
    _feature("income_kinds_365d", expression=Distinct(_incomes.within(365), "kind"), unit="kinds", minimum=0.0,
        maximum=6.0, null_means=None, direction=0, reason_group="income stability", label="Kinds of income in a year",
        adverse_reason="Income rests on one source", favourable_reason="Income rests on several sources",
        rationale="Several sources do not fail together", source=_THOMAS, actionable=None),
    _feature("income_trend_90d",
        expression=Ratio(Total(_incomes.within(90), "amount"), Total(_incomes.between(90, 180), "amount")),
        unit="times", minimum=0.0, maximum=100.0, null_means="no income in the 90 days before", direction=-1,
        reason_group="income stability", label="Income of 90 days set against the 90 days before",
        adverse_reason="Income fell against the months before", favourable_reason="Income held or rose",
        rationale="A fall of income is the commonest cause of arrears", source=_THOMAS, actionable=None),
    _inflows("inflow_monthly_90d", label="Money coming in per month, last 90 days",
        expression=_monthly(Total(_inflow.within(90), "amount"), _QUARTER)),
    _inflows("inflow_monthly_180d", label="Money coming in per month, last 180 days",
        expression=_monthly(Total(_inflow.within(180), "amount"), _HALF_YEAR)),
    _cover("balance_last", label="Balance at the last reading", null_means="no reading",
        expression=Latest(_account, "amount")),
    _cover("balance_lowest_90d", label="Lowest balance in 90 days", expression=Smallest(_account.within(90), "amount")),
    _cover("balance_lowest_180d", label="Lowest balance in 180 days",
        expression=Smallest(_account.within(180), "amount")),
    _cover("balance_mean_90d", label="Average balance in 90 days",
        expression=Ratio(Total(_account.within(90), "amount"), Count(_account.within(90)))),
    _feature("savings_buffer_months",
        expression=Ratio(Latest(_account, "amount"), _monthly(Total(_outflow.within(180), "amount"), _HALF_YEAR)),
        unit="months of spending", minimum=0.0, maximum=120.0, null_means="no balance or no spending on record",
        direction=-1, reason_group="reserves", label="Months of spending that the balance covers",
        adverse_reason="Reserves would not last long", favourable_reason="Reserves would last for a good while",
        rationale="A buffer of some months of spending absorbs a loss of income", source=_THOMAS,
        actionable="Build up a reserve", gaming="medium"),
    _money("savings_last", expression=Latest(_saved, "amount"), null_means="no savings or assets on record",
        direction=-1, reason_group="savings", label="Last reading of savings or other assets",
        adverse_reason="Savings on record are small", favourable_reason="There are savings on record",
        rationale="Assets can be drawn on where income fails", source=_THOMAS,
        actionable="Let savings be recorded", gaming="medium"),
    _feature("savings_kept_share_365d",
        expression=Ratio(Smallest(_saved.within(365), "amount"), Largest(_saved.within(365), "amount")),
        unit="share", minimum=-1.0, maximum=1.0, null_means="no savings on record in the window", direction=0,
        reason_group="savings", label="Lowest savings of a year set against the highest",
        adverse_reason="Savings were drawn down within the year", favourable_reason="Savings were kept over the year",
        rationale="Savings that stay are reserves; savings that go were needed", source=_MESTER, actionable=None),
    _money("disposable_monthly_90d",
        expression=Difference(_monthly(Total(_incomes.within(90), "amount"), _QUARTER),
                              _monthly(Total(stream("dues").within(90), "amount_due"), _QUARTER)),
        null_means=None, direction=-1, reason_group="burden", label="Monthly income left after obligations, 90 days",
        adverse_reason="Little income is left after obligations",
        favourable_reason="A good part of income is left after obligations",
        rationale="What is left after obligations is what pays for the next one", source=_DEY,
        actionable="Pay down obligations before taking new ones"),
    _feature("debt_service_ratio_90d",
        expression=Ratio(Total(stream("dues").within(90), "amount_due"), Total(_incomes.within(90), "amount")),
        unit="share of income", minimum=0.0, maximum=100.0, null_means="no income in the window", direction=1,
        reason_group="burden", label="Part of income that fell due in 90 days",
        adverse_reason="Obligations take a large part of income",
        favourable_reason="Obligations take a small part of income",
        rationale="Arrears rise steeply with the share of income that debts take", source=_DEY,
        actionable="Pay down obligations before taking new ones"),
    _feature("dues_next_30d_to_income",
        expression=Ratio(Total(stream("dues").between(-30, 0), "amount_due"), _monthly(_income_180d, _HALF_YEAR)),
        unit="share of income", minimum=0.0, maximum=100.0, null_means="no income in 180 days", direction=1,
        reason_group="burden", label="Part of a month's income falling due next",
        adverse_reason="Much of the next month's income is already owed",
        favourable_reason="Little of the next month's income is owed",
        rationale="What is scheduled to fall due is known ahead", source=_DEY, actionable="Space obligations out"),
    _paid("credit_limit_highest_90d", expression=Largest(_reported.within(90), "limit"),
        null_means="no limit reported", direction=-1, reason_group="credit limits",
        label="Highest credit limit reported in 90 days",
        adverse_reason="Credit limits granted so far are low", favourable_reason="Credit limits granted are high",
        rationale="Other lenders grant limits by income they have seen", source=_GROSS, actionable=None),
    _feature("limit_to_income",
        expression=Ratio(Largest(_reported.within(90), "limit"), _monthly(_income_180d, _HALF_YEAR)),
        unit="months of income", minimum=0.0, maximum=1000.0, null_means="no limit reported or no income on record",
        direction=0, reason_group="credit limits", label="Highest credit limit in months of income",
        adverse_reason="The credit limit is out of line with the income on record",
        favourable_reason="The credit limit is in line with the income on record",
        rationale="A limit far above income can be drawn but not repaid", source=_GROSS, actionable=None),
    _money("unused_limit_last", expression=Difference(Latest(_used, "limit"), Latest(_used, "statement_amount")),
        null_means="no limit reported", direction=-1, reason_group="credit limits", label="Credit limit not in use",
        adverse_reason="Little of the credit limit is free", favourable_reason="Much of the credit limit is free",
        rationale="A free limit is a reserve", source=_GROSS, actionable="Bring the balance down", gaming="medium"),
    _repayments("repaid_30d", label="Repaid on accounts in the last 30 days", null_means=None,
        expression=Total(_reported.within(30), "amount_paid")),
    _repayments("repaid_monthly_90d", label="Repaid on accounts per month, 90 days", null_means=None,
        expression=_monthly(Total(_reported.within(90), "amount_paid"), _QUARTER)),
    _repayments("repaid_monthly_180d", label="Repaid on accounts per month, 180 days", null_means=None,
        expression=_monthly(Total(_reported.within(180), "amount_paid"), _HALF_YEAR)),
    _repayments("largest_repayment_180d", label="Largest repayment in 180 days", null_means="no account reported",
        expression=Largest(_reported.within(180), "amount_paid")),
    _repayments("smallest_repayment_180d", label="Smallest monthly repayment in 180 days",
        null_means="no account reported", expression=Smallest(_reported.within(180), "amount_paid")),
)  # fmt: skip
