"""Behaviour (25 %): conduct in paying and settling; never what was bought, or where.

Refunds and charge-backs are not looked at: asking for one's money back is a right.
"""

from __future__ import annotations

from functools import partial

from benne.features.categories import BEHAVIOUR
from benne.features.kernel.expressions import (
    ActivePeriods,
    Count,
    DaysSinceFirst,
    Difference,
    Expression,
    Largest,
    Latest,
    Ratio,
    Rows,
    Scaled,
    Smallest,
    Total,
    Variation,
    stream,
)
from benne.features.specification import FeatureSpec

__all__ = ["FEATURES"]

_months = stream("account_months")
_payments = stream("payments")
_out = _payments.where(direction="out")
_in = _payments.where(direction="in")
_readings = stream("balances").where(kind="account")
_bills = stream("delinquency").where(assessed=1, kind=("rent", "utility")).within(365)
_settled = stream("settlements").within(365)
_spent = _out.excluding(status="failed")

_NORDEN = "Norden & Weber 2010, Review of Financial Studies 23 (account activity before default)"
_MESTER = "Mester, Nakamura & Renault 2007, Review of Financial Studies 20 (transaction accounts)"
_GROSS = "Gross & Souleles 2002, Quarterly Journal of Economics 117 (use of credit lines)"
_YEH = "Yeh & Lien 2009, Expert Systems with Applications 36"
_PURI = "Puri, Rocholl & Steffen 2017, Journal of Financial Intermediation 31 (relationships and loan defaults)"

_BASIS_POINTS = 10_000.0
_MOST_VARIED = 5**0.5  # everything in one of six periods

_feature = partial(FeatureSpec, category=BEHAVIOUR, owner="behavioural scoring", gaming="medium")
_share = partial(_feature, unit="share", minimum=0.0, maximum=1.0)
_use = partial(
    _feature,
    unit="share of the limit",
    minimum=-10.0,
    maximum=10.0,
    null_means="no credit line with a limit reported",
    reason_group="use of credit lines",
    adverse_reason="Much of the credit limit is in use",
    favourable_reason="Little of the credit limit is in use",
    rationale="Borrowers near their limit have little room left for a shock",
    source=_GROSS,
    actionable="Bring the balance down well below the limit",
    gaming="medium",
)
_repaid = partial(
    _feature,
    unit="share of the statement",
    minimum=0.0,
    maximum=100.0,
    null_means="no statement in the window",
    direction=0,
    reason_group="paying statements down",
    adverse_reason="Only a small part of the statements was paid",
    favourable_reason="Statements were largely paid",
    rationale="Paying statements in full separates convenience from need",
    source=_YEH,
    actionable="Pay more than the minimum of each statement",
)


def _status_share(status: str, days: int | None) -> Expression:
    def window(rows: Rows) -> Rows:
        return rows if days is None else rows.within(days)

    return Ratio(Count(window(_months.where(status=status))), Count(window(_months.known("status"))))


def _paid_down(days: int) -> Expression:
    said = _months.known("amount_paid", "previous_statement").within(days)
    return Ratio(Total(said, "amount_paid"), Total(said, "previous_statement"))


_revolving = partial(
    _share, null_means="no account reported", direction=0, reason_group="carrying balances",
    adverse_reason="Balances were carried from month to month", favourable_reason="Balances were rarely carried over",
    rationale="Revolvers default more often than those who pay in full", source=_YEH,
    actionable="Pay statements in full")  # fmt: skip
_in_full = partial(
    _share, null_means="no account reported", direction=0, reason_group="carrying balances",
    adverse_reason="Few months were paid in full", favourable_reason="Months were paid in full",
    rationale="Paying in full shows control of spending", source=_YEH,
    actionable="Pay statements in full")  # fmt: skip
_no_balance = partial(
    _share, null_means="no account reported", direction=0, reason_group="months without debt",
    adverse_reason="The share of months without debt is one seen more often before missed payments",
    favourable_reason="The share of months without debt is one seen less often before missed payments",
    rationale="How continuously credit is needed tells need from convenience", source=_MESTER,
    actionable=None, gaming="low")  # fmt: skip

_failed = partial(
    _feature, unit="payments", minimum=0.0, maximum=1000.0, null_means=None, direction=1,
    reason_group="failed payments", source=_NORDEN,
    actionable="Keep enough on the account for payments that are due")  # fmt: skip

FEATURES: tuple[FeatureSpec, ...] = (
    _use("utilisation_last", label="Credit limit in use at the last statement", direction=0,
        expression=Scaled(Latest(_months, "utilisation_bp"), _BASIS_POINTS)),
    _use("utilisation_mean_180d", label="Average use of the credit limit over 180 days", direction=0,
        expression=Scaled(Ratio(Total(_months.within(180), "utilisation_bp"),
                                Count(_months.known("utilisation_bp").within(180))), _BASIS_POINTS)),
    _use("utilisation_highest_180d", label="Highest use of the credit limit in 180 days", direction=0,
        adverse_reason="Much of the credit limit was in use at its highest",
        favourable_reason="Little of the credit limit was in use even at its highest",
        expression=Scaled(Largest(_months.within(180), "utilisation_bp"), _BASIS_POINTS)),
    _use("utilisation_lowest_180d", label="Lowest use of the credit limit in 180 days", direction=0,
        adverse_reason="Much of the credit limit was in use even at its lowest",
        favourable_reason="Little of the credit limit was in use at its lowest",
        expression=Scaled(Smallest(_months.within(180), "utilisation_bp"), _BASIS_POINTS)),
    _use("utilisation_trend_180d", label="Use of the credit limit less its average over 180 days", direction=0,
        minimum=-20.0, maximum=20.0, adverse_reason="Use of the credit limit has been rising",
        favourable_reason="Use of the credit limit has been steady or falling",
        rationale="Rising use precedes default by months", source=_NORDEN,
        expression=Difference(Scaled(Latest(_months, "utilisation_bp"), _BASIS_POINTS),
                              Scaled(Ratio(Total(_months.within(180), "utilisation_bp"),
                                           Count(_months.known("utilisation_bp").within(180))), _BASIS_POINTS))),
    _repaid("paid_to_statement_30d", label="Part of the last statement paid", expression=_paid_down(30)),
    _repaid("paid_to_statement_90d", label="Part of statements paid in 90 days", expression=_paid_down(90)),
    _repaid("paid_to_statement_180d", label="Part of statements paid in 180 days", expression=_paid_down(180)),
    _feature("unpaid_months_180d", unit="months", minimum=0.0, maximum=100.0, null_means=None, direction=1,
        expression=Count(_months.at_most(amount_paid=0).at_least(previous_statement=1).within(180)),
        reason_group="paying statements down", label="Months of 180 days without any payment on a statement",
        adverse_reason="In some months nothing was paid on a statement",
        favourable_reason="Something was paid on every statement",
        rationale="A month without any payment is a missed obligation", source=_YEH,
        actionable="Pay at least the minimum each month"),
    _revolving("revolving_share_90d", label="Share of months with a balance carried over, 90 days",
        expression=_status_share("revolving", 90)),
    _revolving("revolving_share_180d", label="Share of months with a balance carried over, 180 days",
        expression=_status_share("revolving", 180)),
    _in_full("paid_in_full_share_30d", label="Share of accounts paid in full last month",
        expression=_status_share("current", 30)),
    _in_full("paid_in_full_share_180d", label="Share of months paid in full, 180 days",
        expression=_status_share("current", 180)),
    _no_balance("no_balance_share_30d", label="Share of accounts without debt last month",
        expression=_status_share("no_balance", 30)),
    _no_balance("no_balance_share_90d", label="Share of months without debt, 90 days",
        expression=_status_share("no_balance", 90)),
    _no_balance("no_balance_share_365d", label="Share of months without debt, a year",
        expression=_status_share("no_balance", 365)),
    _no_balance("no_balance_share_life", label="Share of all months without debt",
        expression=_status_share("no_balance", None)),
    # Counts, not shares: more purchases would dilute a share, and spending more must not better a score.
    _failed("failed_payments_180d", label="Payments that failed in 180 days",
        expression=Count(_out.where(status="failed").within(180)),
        adverse_reason="Some payments did not go through", favourable_reason="All payments went through",
        rationale="Payments that bounce show that money runs short"),
    _failed("returned_payments_180d", label="Payments returned for want of cover in 180 days",
        expression=Count(_out.where(status="reversed").within(180)),
        adverse_reason="Payments were returned for want of cover",
        favourable_reason="No payment was returned for want of cover",
        rationale="Payments returned by the bank show an account without cover"),
    _share("bills_on_time_share_365d", null_means="no rent or utility bill fell due in the window", direction=-1,
        expression=Ratio(Count(_bills.at_most(days_past_due=0)), Count(_bills)), reason_group="bills",
        label="Share of rent and utility bills paid on time in a year",
        adverse_reason="Some rent or utility bills were paid late",
        favourable_reason="Rent and utility bills were paid on time",
        rationale="Those without loans show by their bills how they keep an agreement",
        source="Turner & Walker 2019, Policy and Economic Research Council (utility and rent payments in credit files)",
        actionable="Pay rent and utility bills by their due date"),
    _feature("paying_days_spread_365d", unit="days", minimum=0.0, maximum=3650.0,
        null_means="nothing was settled in the window", direction=0,
        expression=Difference(Largest(_settled, "lead_days"), Smallest(_settled, "lead_days")),
        reason_group="regular paying days", label="Spread of paying days around the due date in a year",
        adverse_reason="The days of paying vary a lot around the due date",
        favourable_reason="Payments come at a regular distance from the due date",
        rationale="Regular paying days come from a routine, and routines last", source=_MESTER,
        actionable="Pay by standing order"),
    _share("cash_share_180d", null_means="no payments in the window", direction=0,
        expression=Ratio(Count(_payments.where(kind="cash").within(180)), Count(_payments.known("kind").within(180))),
        reason_group="ways of paying", label="Share of cash among movements of 180 days",
        adverse_reason="Much moves in cash", favourable_reason="Little moves in cash",
        rationale="Accounts lived from in cash show less of what comes in and goes out", source=_MESTER,
        actionable=None),
    _share("bill_share_180d", null_means="no outgoing payments in the window", direction=0,
        expression=Ratio(Count(_out.where(kind="bill").within(180)), Count(_out.known("kind").within(180))),
        reason_group="ways of paying", label="Share of bills among payments of 180 days",
        adverse_reason="Few regular bills are paid from the account",
        favourable_reason="Regular bills are paid from the account",
        rationale="Standing bills tie a member to an account they keep funded", source=_MESTER,
        actionable=None),
    _feature("penalty_fees_180d", unit="fees", minimum=0.0, maximum=1000.0, null_means=None, direction=1,
        expression=Count(_payments.where(kind="fee").within(180)), reason_group="failed payments",
        label="Penalty fees in 180 days", adverse_reason="Penalty fees were charged",
        favourable_reason="No penalty fees were charged",
        rationale="Penalty interest follows an overdrawn or overdue account", source=_NORDEN,
        actionable="Keep the account above zero"),
    _feature("negative_balance_readings_180d", unit="readings", minimum=0.0, maximum=100000.0, null_means=None,
        direction=1, expression=Count(_readings.at_most(amount=-1).within(180)), reason_group="account cover",
        label="Times the account was below zero in 180 days", adverse_reason="The account was below zero",
        favourable_reason="The account stayed above zero", rationale="Overdrafts rise before default", source=_NORDEN,
        actionable="Keep the account above zero"),
    _feature("in_out_ratio_180d", unit="times", minimum=0.0, maximum=100.0, null_means="nothing went out in the window",
        direction=0, expression=Ratio(Total(_in.excluding(status="failed").within(180), "amount"),
                                      Total(_out.excluding(status="failed").within(180), "amount")),
        reason_group="money in and out", label="Money that came in set against what went out, 180 days",
        adverse_reason="More went out than came in", favourable_reason="At least as much came in as went out",
        rationale="Who spends more than comes in must borrow", source=_NORDEN,
        actionable="Keep spending within what comes in"),
    _feature("in_out_ratio_life", unit="times", minimum=0.0, maximum=100.0, null_means="nothing ever went out",
        direction=0, expression=Ratio(Total(_in.excluding(status="failed"), "amount"),
                                      Total(_out.excluding(status="failed"), "amount")),
        reason_group="money in and out", label="Money that ever came in set against what went out",
        adverse_reason="More went out than came in", favourable_reason="At least as much came in as went out",
        rationale="Who spends more than comes in must borrow", source=_NORDEN,
        actionable="Keep spending within what comes in"),
    _feature("spending_variation_180d", unit="times the average", minimum=0.0, maximum=_MOST_VARIED,
        null_means="nothing went out in the window", direction=0,
        expression=Variation(_out.excluding(status="failed"), "amount"), reason_group="steadiness",
        label="How much monthly spending varies, half a year",
        adverse_reason="Spending varies a lot from month to month",
        favourable_reason="Spending is steady from month to month",
        rationale="Steady spending is planned spending", source=_MESTER, actionable="Spread large payments out"),
    _feature("spending_trend_90d", unit="times", minimum=0.0, maximum=100.0,
        null_means="nothing went out in the 90 days before", direction=0,
        expression=Ratio(Total(_spent.within(90), "amount"), Total(_spent.between(90, 180), "amount")),
        reason_group="steadiness", label="Spending of 90 days set against the 90 days before",
        adverse_reason="Spending changed a lot against the months before",
        favourable_reason="Spending is much as it was in the months before",
        rationale="A sudden change of spending goes with a change of circumstances", source=_NORDEN,
        actionable="Spread large payments out"),
    _feature("lowest_balance_to_spending_180d", unit="months of spending", minimum=0.0, maximum=120.0,
        null_means="no reading or no spending in the window", direction=-1,
        expression=Ratio(Smallest(_readings.within(180), "amount"), Scaled(Total(_spent.within(180), "amount"), 6.0)),
        reason_group="account cover", label="Months of spending that the lowest balance covers",
        adverse_reason="Little was left on the account at its lowest",
        favourable_reason="Something was left on the account even at its lowest",
        rationale="What remains at the lowest point of the month is the buffer a member lives with", source=_NORDEN,
        actionable="Keep a reserve on the account until the next income"),
    _feature("active_months_180d", unit="months", minimum=0.0, maximum=6.0, null_means=None, direction=0,
        expression=ActivePeriods(_out), reason_group="steadiness", label="Months with payments, of six",
        adverse_reason="The account is used only now and then", favourable_reason="The account is used every month",
        rationale="An account in steady use shows its holder's conduct", source=_MESTER, actionable=None,
        gaming="high"),
    _feature("days_since_joining", unit="days", minimum=0.0, maximum=36600.0, null_means=None, direction=0,
        expression=DaysSinceFirst(stream("members")), reason_group="tenure", label="Days as a member",
        adverse_reason="Membership is recent", favourable_reason="Membership is of long standing",
        rationale="Members of long relationships default less", source=_PURI, actionable=None, gaming="low"),
)  # fmt: skip
