"""Every registered feature against plain Python that never saw the kernel.

Each definition below is written from the feature's label: keep what had happened, was known
and stands at ``as_of``, then count by hand.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benne.features import CATEGORIES, MASK_COLUMNS, ConsentMask, build_features, registry
from benne.features.events.tables import TABLES, Column

DAY = 86_400_000_000
Row = dict[str, Any]

# ------------------------------------------------------------------ what can be seen


def _stands(row: Row, as_of: int, corrected_at: dict[str, int]) -> bool:
    return row["known_at"] < as_of and corrected_at.get(row["record_id"], as_of) >= as_of


def _order(table: str) -> Callable[[Row], tuple[Any, ...]]:
    """Ties in time: by knowledge, then by what the rows say (never by ids), nulls first."""
    said = [c for c in TABLES[table].columns if c.kind in ("money", "integer", "flag", "category", "time")]

    def cell(row: Row, column: Column) -> tuple[bool, Any]:
        value = row.get(column.name)
        if value is None:
            return (False, 0)
        return (True, column.values.index(value) if column.kind == "category" else value)

    return lambda row: (row["event_time"], row["known_at"], *(cell(row, c) for c in said))


_KINDS_OF_CONTRACT = TABLES["obligation_events"].column("kind").values


def _assessed_order(event: Row) -> tuple[int, ...]:
    """Ties in time: what was on time first, then by the rest of what is said; nulls first."""
    kind = -1 if event["kind"] is None else _KINDS_OF_CONTRACT.index(event["kind"])
    return (event["event_time"], event["days"], event["assessed"], kind)


class Seen:
    """What is visible of one member at one moment."""

    def __init__(self, world: dict[str, list[Row]], member: str, as_of: int, consents: Callable[[str], bool]) -> None:
        self.as_of = as_of
        self._rows, self._ahead = {}, []
        for table, rows in world.items():
            mine = [r for r in rows if r["member_id"] == member]
            corrected_at = {r["supersedes"]: r["known_at"] for r in mine if r["supersedes"] is not None}
            own = [r for r in mine if _stands(r, as_of, corrected_at)]
            if table == "interactions":
                own = [r for r in own if consents(r["other_id"])]
            self._rows[table] = sorted((r for r in own if r["event_time"] < as_of), key=_order(table))
            if table == "dues":
                self._ahead = [r for r in own if as_of <= r["event_time"] < as_of + 30 * DAY]
        known = {(t, c) for t, rows in world.items() for r in rows if r["known_at"] < as_of for c in r if _says(r, c)}
        self._repaid = ("repayments", "event_time") in known
        self._mute = {
            name for name, spec in registry.items()
            if not all(any(pair in known for pair in clause) for clause in spec.expression.needs())
        }  # fmt: skip

    def rows(self, table: str, days: float | None = None, **equals: Any) -> list[Row]:
        found = [r for r in self._rows[table] if all(r[c] in _tuple(v) for c, v in equals.items())]
        return self.within(found, days)

    def within(self, rows: list[Row], days: float | None) -> list[Row]:
        return [r for r in rows if days is None or self.as_of - days * DAY <= r["event_time"]]

    def due_next(self) -> list[Row]:
        return self._ahead

    def since(self, rows: list[Row], which: Callable[[Iterable[int]], int]) -> float:
        return (self.as_of - which(r["event_time"] for r in rows)) / DAY if rows else math.nan

    def paid(self, due: Row, moment: int) -> int:
        mine = [r for r in self.rows("repayments") if r["due_id"] == due["due_id"] and r["event_time"] <= moment]
        return sum(r["amount"] for r in mine)

    def kind(self, obligation: str, moment: int) -> str | None:
        """What the contract was first opened as, if by then."""
        opened = self.rows("obligation_events", obligation_id=obligation, event="opened")
        return opened[0]["kind"] if opened and opened[0]["event_time"] <= moment else None

    def settlements(self) -> list[Row]:
        """Each due paid in full, at the due date or later, with the whole days it was ahead."""
        found = []
        for due in self.rows("dues"):
            moments = [r["event_time"] for r in self.rows("repayments", due_id=due["due_id"])]
            done = [t for t in moments if self.paid(due, t) >= due["amount_due"]]
            if done:
                ahead = math.floor((due["event_time"] - min(done)) / DAY)
                found.append({"event_time": max(min(done), due["event_time"]), "ahead": ahead})
        return found

    def streaks(self) -> list[int]:
        """The run of payments on time up to each assessment."""
        runs, run = [], 0
        for event in sorted(self.delinquency(), key=_assessed_order):
            run = 0 if event["days"] else run + event["assessed"]
            runs.append(run)
        return runs

    def facts(self) -> dict[str, Row]:
        """The verification that stands, field by field."""
        stands: dict[str, Row] = {}
        self.confirmed = 0
        for r in self.rows("verifications"):
            before = stands.get(r["field"])
            if before is not None and before["expires_at"] is not None and before["expires_at"] <= r["event_time"]:
                before = None
            self.confirmed += r["event"] == "verified" and before is not None
            stands.pop(r["field"], None)
            if r["event"] == "verified":
                stands[r["field"]] = r
        return {f: r for f, r in stands.items() if r["expires_at"] is None or r["expires_at"] >= self.as_of}

    def dealings(self, **equals: Any) -> list[Row]:
        """Interactions without complaints."""
        return [r for r in self.rows("interactions", **equals) if r["kind"] not in ("report", "block")]

    def contacts(self) -> int:
        """Other members with dealings both ways, of whom the first lies 180 days back."""
        ways: dict[str, dict[str, int]] = {}
        for r in self.dealings():
            ways.setdefault(r["other_id"], {}).setdefault(r["direction"], r["event_time"])
        return sum(len(w) == 2 and min(w.values()) + 180 * DAY < self.as_of for w in ways.values())

    def delinquency(self) -> list[Row]:
        found = []
        for due in self.rows("dues") if self._repaid else ():
            kind = self.kind(due["obligation_id"], due["event_time"])
            for milestone in (1, 30, 60, 90):
                moment = due["event_time"] + milestone * DAY
                unpaid = self.paid(due, moment) < due["amount_due"]
                if moment < self.as_of and (unpaid or milestone == 1):
                    days = milestone if unpaid else 0
                    found.append({"event_time": moment, "days": days, "assessed": milestone == 1, "kind": kind})
        for month in self.rows("account_status"):
            if month["status"] not in ("no_balance", "closed"):
                days = max(30 * month["months_past_due"], int(month["status"] == "late"))
                kind = self.kind(month["obligation_id"], month["event_time"])
                found.append({"event_time": month["event_time"], "days": days, "assessed": True, "kind": kind})
        return found

    def months(self) -> list[Row]:
        found, before = [], {}
        for month in self.rows("account_status"):
            used = month["balance"] if month["statement_amount"] is None else month["statement_amount"]
            use = None
            if used is not None and month["limit"]:
                use = min(max(math.floor(used * 10_000 / month["limit"]), -100_000), 100_000)
            found.append({**month, "use": use, "before": before.get(month["obligation_id"])})
            before[month["obligation_id"]] = month["statement_amount"]
        return found

    def listed(self) -> list[bool]:
        """Of each adverse item that may be seen, whether its conduct goes on."""
        found, items = [], {r["item_id"] for r in self.rows("adverse_items")}
        for item in sorted(items):
            told: dict[str, Row] = {}
            for r in self.rows("adverse_items", item_id=item):
                told.setdefault(r["event"], r)
                if r["event"] == "reported" and r.get("lawfully_public"):
                    told.setdefault("notified", r)
            if not {"reported", "notified"} <= set(told) or "removed" in told:
                continue
            ends = told["reported"].get("expires_at")
            if ends is not None and ends < self.as_of:
                continue
            if "ended" in told:
                over = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=told["ended"]["event_time"])
                gone = pd.Timestamp(over) + pd.DateOffset(years=5) + timedelta(days=1)
                if gone.value // 1000 <= self.as_of:
                    continue
            found.append("ended" not in told)
        return found

    def standing(self, table: str, thing: str, begins: str, ends: tuple[str, ...]) -> int:
        on: dict[str, bool] = {}
        for r in sorted(self.rows(table), key=lambda r: (r["event_time"], r["event"] != begins)):
            if r["event"] == begins or r["event"] in ends:
                on[r[thing]] = r["event"] == begins
        return sum(on.values())

    def can_say(self, name: str) -> bool:
        """Whether anybody's rows known by now hold what a feature needs."""
        return name not in self._mute


def _says(row: Row, column: str) -> bool:
    return row[column] is not None


def _tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _said(rows: list[Row], *columns: str) -> list[Row]:
    return [r for r in rows if all(r[c] is not None for c in columns)]


def _sum(rows: list[Row], column: str) -> int:
    return sum(r[column] for r in _said(rows, column))


def _best(rows: list[Row], column: str, which: Callable[[list[int]], int]) -> float:
    values = [r[column] for r in _said(rows, column)]
    return which(values) if values else math.nan


def _last(rows: list[Row], column: str) -> float:
    return _best(rows, column, lambda values: values[-1])


def _over(a: float, b: float) -> float:
    return a / b if b >= 1 else math.nan


def _kinds(rows: list[Row], column: str) -> int:
    return len({r[column] for r in _said(rows, column)})


def _periods(seen: Seen, rows: list[Row]) -> list[list[Row]]:
    """The rows of each of the last six times thirty days."""
    ends = [seen.as_of - k * 30 * DAY for k in range(7)]
    return [[r for r in rows if ends[k + 1] <= r["event_time"] < ends[k]] for k in range(6)]


def _variation(seen: Seen, rows: list[Row]) -> float:
    totals = [_sum(period, "amount") for period in _periods(seen, rows)]
    if sum(totals) < 1:
        return math.nan
    return math.sqrt(6 * sum(x * x for x in totals) - sum(totals) ** 2) / sum(totals)


def _active(seen: Seen, rows: list[Row]) -> int:
    return sum(bool(period) for period in _periods(seen, rows))


def _without_failed(rows: list[Row]) -> list[Row]:
    return [r for r in rows if r["status"] != "failed"]


# ------------------------------------------------------------------ credit history


def credit_history(seen: Seen) -> dict[str, float]:
    events = seen.delinquency()
    assessed = [e for e in events if e["assessed"]]
    late, late_30, late_60 = ([e for e in events if e["days"] >= n] for n in (1, 30, 60))

    def on_time(days: float | None) -> float:
        rows = seen.within(assessed, days)
        return _over(sum(e["days"] == 0 for e in rows), len(rows))

    statuses = seen.rows("account_status", 30, status="late")
    contracts = [r for r in seen.rows("obligation_events") if r["kind"] not in ("rent", "utility")]
    opened, closed = ([r for r in contracts if r["event"] == event] for event in ("opened", "closed"))
    streaks, year = seen.streaks(), seen.within(seen.settlements(), 365)
    last = sorted(seen.within(assessed, 1826), key=_assessed_order)
    return {
        "on_time_share_90d": on_time(90),
        "on_time_share_365d": on_time(365),
        "on_time_share_5y": on_time(1826),
        "on_time_streak_longest": max(streaks, default=math.nan),
        "on_time_streak_now": streaks[-1] if streaks else math.nan,
        "late_count_30d": len(seen.within(late, 30)),
        "late_30_count_90d": len(seen.within(late_30, 90)),
        "late_30_count_365d": len(seen.within(late_30, 365)),
        "late_30_count_5y": len(seen.within(late_30, 1826)),
        "late_60_count_180d": len(seen.within(late_60, 180)),
        "late_60_count_5y": len(seen.within(late_60, 1826)),
        "late_90_count_5y": len([e for e in seen.within(events, 1826) if e["days"] >= 90]),
        "days_past_due_latest": last[-1]["days"] if last else math.nan,
        "worst_days_past_due_30d": _best(seen.within(events, 30), "days", max),
        "worst_days_past_due_90d": _best(seen.within(events, 90), "days", max),
        "worst_days_past_due_365d": _best(seen.within(events, 365), "days", max),
        "days_past_due_total_180d": _sum(seen.within(events, 180), "days"),
        "days_since_late": seen.since(seen.within(late, 1826), max),
        "days_since_late_30": seen.since(seen.within(late_30, 1826), max),
        "overdue_amount": sum(
            max(due["amount_due"] - seen.paid(due, seen.as_of), 0)
            for due in seen.rows("dues") if due["event_time"] + DAY < seen.as_of
        ),
        "repaid_to_due_365d": _over(
            _sum(seen.rows("repayments", 365), "amount"), _sum(seen.rows("dues", 365), "amount_due")
        ),
        "paid_early_share_365d": _over(sum(e["ahead"] >= 1 for e in year), len(year)),
        "lead_days_mean_365d": _over(_sum(year, "ahead"), len(year)),
        "settled_after_90_days": sum(e["ahead"] <= -90 for e in seen.within(seen.settlements(), 1826)),
        "late_statement_amount_30d": _sum(statuses, "statement_amount"),
        "months_assessed": len(assessed),
        "days_on_record": seen.since(assessed, min),
        "days_since_first_obligation": seen.since(opened, min),
        "obligations_opened_365d": len(seen.within(opened, 365)),
        "obligations_closed": len(closed),
        "obligation_kinds": _kinds(opened, "kind"),
        "obligations_active": seen.standing("obligation_events", "obligation_id", "opened", ("closed", "written_off")),
        "adverse_items_live": len(seen.listed()),
        "adverse_items_open": sum(seen.listed()),
    }  # fmt: skip


# ------------------------------------------------------------------ behaviour


def behaviour(seen: Seen) -> dict[str, float]:
    months, pays = seen.months(), seen.rows("payments")
    half = seen.within(months, 180)
    use_mean = _over(_sum(half, "use"), len(_said(half, "use"))) / 10_000
    ins, outs = seen.rows("payments", direction="in"), seen.rows("payments", direction="out")

    def paid_down(days: int) -> float:
        rows = _said(seen.within(months, days), "amount_paid", "before")
        return _over(_sum(rows, "amount_paid"), _sum(rows, "before"))

    def status(name: str, days: int | None) -> float:
        rows = seen.within(months, days)
        return _over(sum(m["status"] == name for m in rows), len(rows))

    def kind(name: str, rows: list[Row]) -> float:
        return _over(sum(r["kind"] == name for r in rows), len(_said(rows, "kind")))

    def in_out(days: int | None) -> float:
        went_in, went_out = (seen.within(_without_failed(rows), days) for rows in (ins, outs))
        return _over(_sum(went_in, "amount"), _sum(went_out, "amount"))

    said = _said(seen.within(outs, 180), "status")
    bills = [e for e in seen.within(seen.delinquency(), 365) if e["assessed"] and e["kind"] in ("rent", "utility")]
    ahead = [e["ahead"] for e in seen.within(seen.settlements(), 365)]
    spent = _without_failed(outs)
    earlier = _sum(seen.within(spent, 180), "amount") - _sum(seen.within(spent, 90), "amount")
    readings = seen.rows("balances", 180, kind="account")
    return {
        "utilisation_last": _last(months, "use") / 10_000,
        "utilisation_mean_180d": use_mean,
        "utilisation_highest_180d": _best(half, "use", max) / 10_000,
        "utilisation_lowest_180d": _best(half, "use", min) / 10_000,
        "utilisation_trend_180d": _last(months, "use") / 10_000 - use_mean,
        "paid_to_statement_30d": paid_down(30),
        "paid_to_statement_90d": paid_down(90),
        "paid_to_statement_180d": paid_down(180),
        "unpaid_months_180d": sum(
            m["amount_paid"] <= 0 and m["before"] >= 1 for m in _said(half, "amount_paid", "before")
        ),
        "revolving_share_90d": status("revolving", 90),
        "revolving_share_180d": status("revolving", 180),
        "paid_in_full_share_30d": status("current", 30),
        "paid_in_full_share_180d": status("current", 180),
        "no_balance_share_30d": status("no_balance", 30),
        "no_balance_share_90d": status("no_balance", 90),
        "no_balance_share_365d": status("no_balance", 365),
        "no_balance_share_life": status("no_balance", None),
        "failed_payments_180d": sum(r["status"] == "failed" for r in said),
        "returned_payments_180d": sum(r["status"] == "reversed" for r in said),
        "bills_on_time_share_365d": _over(sum(e["days"] == 0 for e in bills), len(bills)),
        "paying_days_spread_365d": max(ahead) - min(ahead) if ahead else math.nan,
        "cash_share_180d": kind("cash", seen.within(pays, 180)),
        "bill_share_180d": kind("bill", seen.within(outs, 180)),
        "penalty_fees_180d": len(seen.rows("payments", 180, kind="fee")),
        "negative_balance_readings_180d": sum(r["amount"] < 0 for r in seen.rows("balances", 180, kind="account")),
        "in_out_ratio_180d": in_out(180),
        "in_out_ratio_life": in_out(None),
        "spending_variation_180d": _variation(seen, _without_failed(outs)),
        "spending_trend_90d": _over(_sum(seen.within(spent, 90), "amount"), earlier),
        "lowest_balance_to_spending_180d": _over(
            _best(readings, "amount", min), _sum(seen.within(spent, 180), "amount") / 6
        ),
        "active_months_180d": _active(seen, outs),
        "days_since_joining": seen.since(seen.rows("members"), min),
    }


# ------------------------------------------------------------------ ability


def ability(seen: Seen) -> dict[str, float]:
    incomes, account, months = seen.rows("incomes"), seen.rows("balances", kind="account"), seen.rows("account_status")
    year, month = seen.within(incomes, 365), _sum(seen.within(incomes, 180), "amount") / 6
    inflow = [r for r in _without_failed(seen.rows("payments", direction="in"))
              if r["kind"] not in ("interest", "refund", "chargeback", "top_up")]  # fmt: skip
    spent = _sum(seen.within(_without_failed(seen.rows("payments", direction="out")), 180), "amount") / 6
    saved = seen.rows("balances", kind=("savings", "asset"))
    saved_year = seen.within(saved, 365)
    quarter_income = _sum(seen.within(incomes, 90), "amount")
    quarter, used = seen.within(account, 90), _said(months, "limit", "statement_amount")
    return {
        "income_monthly_180d": month,
        "income_months_180d": _active(seen, incomes),
        "income_variation_180d": _variation(seen, incomes),
        "regular_income_share_365d": _over(_sum([r for r in year if r["regular"]], "amount"), _sum(year, "amount")),
        "income_kinds_365d": _kinds(year, "kind"),
        "income_trend_90d": _over(quarter_income, _sum(seen.within(incomes, 180), "amount") - quarter_income),
        "inflow_monthly_90d": _sum(seen.within(inflow, 90), "amount") / 3,
        "inflow_monthly_180d": _sum(seen.within(inflow, 180), "amount") / 6,
        "balance_last": _last(account, "amount"),
        "balance_lowest_90d": _best(quarter, "amount", min),
        "balance_lowest_180d": _best(seen.within(account, 180), "amount", min),
        "balance_mean_90d": _over(_sum(quarter, "amount"), len(quarter)),
        "savings_buffer_months": _over(_last(account, "amount"), spent),
        "savings_last": _last(saved, "amount"),
        "savings_kept_share_365d": _over(_best(saved_year, "amount", min), _best(saved_year, "amount", max)),
        "disposable_monthly_90d": quarter_income / 3 - _sum(seen.rows("dues", 90), "amount_due") / 3,
        "debt_service_ratio_90d": _over(
            _sum(seen.rows("dues", 90), "amount_due"), _sum(seen.within(incomes, 90), "amount")
        ),
        "dues_next_30d_to_income": _over(_sum(seen.due_next(), "amount_due"), month),
        "credit_limit_highest_90d": _best(seen.within(months, 90), "limit", max),
        "limit_to_income": _over(_best(seen.within(months, 90), "limit", max), month),
        "unused_limit_last": _last(used, "limit") - _last(used, "statement_amount"),
        "repaid_30d": _sum(seen.within(months, 30), "amount_paid"),
        "repaid_monthly_90d": _sum(seen.within(months, 90), "amount_paid") / 3,
        "repaid_monthly_180d": _sum(seen.within(months, 180), "amount_paid") / 6,
        "largest_repayment_180d": _best(seen.within(months, 180), "amount_paid", max),
        "smallest_repayment_180d": _best(seen.within(months, 180), "amount_paid", min),
    }


# ------------------------------------------------------------------ personal information, social


def personal_information(seen: Seen) -> dict[str, float]:
    verified = seen.rows("verifications", event="verified")
    facts = list(seen.facts().values())
    strong = _said(facts, "strength")
    changed = seen.rows("verifications", event="changed", field=("phone", "email"))
    return {
        "verified_fields": len(facts),
        "verified_against_register": sum(r["strength"] >= 3 for r in strong),
        "verification_strength_mean": _over(_sum(strong, "strength"), len(strong)),
        "details_confirmed_again": seen.confirmed,
        "verification_methods": _kinds(verified, "method"),
        "income_proof_verified": len(
            seen.rows("verifications", 730, event="verified", field=("income_proof", "employer"))
        ),
        "verifications_lapsed_730d": len(seen.rows("verifications", 730, event="lapsed")),
        "contact_changes_365d": len(seen.rows("verifications", 365, event="changed", field=("phone", "email"))),
        "days_since_contact_change": seen.since(changed, max),
        "days_since_verification": seen.since(verified, max),
        "verification_tenure": seen.since(verified, min),
        "identity_verified_days": seen.since([r for r in verified if r["field"] == "identity_document"], min),
        "bank_account_verified_days": seen.since([r for r in verified if r["field"] == "bank_account"], min),
    }


def social(seen: Seen) -> dict[str, float]:
    dealings = seen.dealings()
    given, received = (
        {r["other_id"] for r in dealings if r["direction"] == direction} for direction in ("given", "received")
    )
    ratings = _said(seen.rows("interactions", 365, direction="received", kind="rating"), "value")
    reports = _said(seen.rows("interactions", 365, direction="received", kind="report"), "value")
    return {
        "relationships_365d": _kinds(seen.within(dealings, 365), "other_id"),
        "relationship_tenure": seen.since(dealings, min),
        "lasting_contacts": seen.contacts(),
        "reciprocity_share": _over(len(given & received), len(given | received)),
        "positive_rating_share_365d": _over(sum(r["value"] >= 4 for r in ratings), len(ratings)),
        "reports_upheld_365d": sum(r["value"] >= 1 for r in reports),
        "endorsements_received_365d": _kinds(
            seen.rows("interactions", 365, direction="received", kind="endorsement"), "other_id"
        ),
        "settlements_amicable": len(seen.rows("interactions", kind="settlement")),
        "counterparties_365d": _kinds(seen.rows("payments", 365), "counterparty_id"),
    }


ORACLE = dict(zip(CATEGORIES, (credit_history, behaviour, ability, personal_information, social), strict=True))


def expected(seen: Seen, category: str) -> dict[str, float]:
    """The category's values, held at the ends of their declared ranges."""
    values = ORACLE[category](seen)
    return {
        name: min(max(value, registry[name].minimum), registry[name].maximum)
        if seen.can_say(name) and not math.isnan(value) else math.nan
        for name, value in values.items()
    }  # fmt: skip


# ------------------------------------------------------------------ worlds and their observations


def _observed(world: dict[str, list[Row]], rng: np.random.Generator, start: int) -> list[tuple[str, int]]:
    """Members at some half-days, so that events and ``as_of`` often coincide."""
    found = []
    for member in sorted({r["member_id"] for r in world["members"]}):
        for half_day in rng.choice(1500, size=5, replace=False):
            as_of = start + int(half_day) * DAY // 2
            if Seen(world, member, as_of, lambda other: False).rows("members"):
                found.append((member, as_of))
    return found


def _random_consents(
    members: list[str], rng: np.random.Generator, start: int
) -> list[tuple[str, str, int, int | None]]:
    grants = []
    for member in members:
        for category in CATEGORIES:
            for period in range(int(rng.integers(0, 3))):
                since = start + (int(rng.integers(0, 300)) + 400 * period) * DAY
                until = since + int(rng.integers(1, 600)) * DAY
                grants.append((member, category, since, None if rng.random() < 0.3 else until))
    return grants


def _mask(grants: list[tuple[str, str, int, int | None]], key: Any) -> ConsentMask:
    frame = pd.DataFrame(grants, columns=["subject_id", "category", "granted_from", "granted_until"])
    frame["subject_id"] = key.subject_ids(frame["subject_id"])
    for column in ("granted_from", "granted_until"):
        frame[column] = pd.to_datetime(frame[column].astype("Int64"), unit="us", utc=True)
    return ConsentMask(frame, reason="random consents of a test")


def _active_grant(grants: list[tuple[str, str, int, int | None]], member: str, category: str, as_of: int) -> bool:
    return any(
        m == member and c == category and since <= as_of and (until is None or as_of < until)
        for m, c, since, until in grants
    )


def _late_share(world: dict[str, list[Row]], pairs: list[tuple[str, int]]) -> float:
    """Share of observations with something that had happened but was not yet known, or was corrected later."""
    late = 0
    for member, as_of in pairs:
        mine = [r for rows in world.values() for r in rows if r["member_id"] == member and r["event_time"] < as_of]
        late += any(r["known_at"] >= as_of for r in mine)
    return late / len(pairs)


@pytest.mark.parametrize("seed", [11, 12, 13, 14])
def test_every_feature_equals_plain_python_under_random_consents(
    seed: int, random_world: Any, load: Any, observe: Any, key: Any, days: Any
) -> None:
    rng = np.random.default_rng(seed)
    world = random_world(seed)
    pairs = _observed(world, rng, days(0))
    members = sorted({member for member, _ in pairs})
    grants = _random_consents([*members, "a stranger"], rng, days(0))
    frame = build_features(load(world), observe(pairs), consents=_mask(grants, key))
    for position, (member, as_of) in enumerate(pairs):
        seen = Seen(world, member, as_of, lambda other, t=as_of: _active_grant(grants, other, "social", t))
        for category in CATEGORIES:
            consented = _active_grant(grants, member, category, as_of)
            row = frame.iloc[position]
            assert row[MASK_COLUMNS[category]] == consented
            for name, value in expected(seen, category).items():
                _agrees(row[name], value if consented else math.nan, f"{name} of {member} at {as_of}")


@pytest.mark.parametrize("seed", [21, 22])
def test_every_feature_equals_plain_python_where_everything_is_granted(
    seed: int, random_world: Any, load: Any, observe: Any, everything: ConsentMask, days: Any, caplog: Any
) -> None:
    world = random_world(seed)
    pairs = _observed(world, np.random.default_rng(seed), days(0))
    with caplog.at_level(logging.INFO, logger="benne.features.build"):
        frame = build_features(load(world), observe(pairs), consents=everything)
    for position, (member, as_of) in enumerate(pairs):
        seen = Seen(world, member, as_of, lambda other: True)
        for category in CATEGORIES:
            for name, value in expected(seen, category).items():
                _agrees(frame.iloc[position][name], value, f"{name} of {member} at {as_of}")
    assert 0.2 < _late_share(world, pairs) < 0.95, "both ways through the kernel must be taken"
    taken = [record.args for record in caplog.records if "late or filtered" in record.msg]
    assert 0 < taken[0][2] < taken[0][1]


def _agrees(got: float, wanted: float, what: str) -> None:
    if math.isnan(wanted):
        assert math.isnan(got), f"{what} must be null, got {got}"
    elif isinstance(wanted, int) and abs(wanted) < 2**53:
        assert got == wanted, what
    else:
        assert got == pytest.approx(wanted, rel=1e-9, abs=1e-9), what


def test_the_oracle_speaks_of_every_registered_feature_and_finds_something(
    random_world: Any, load: Any, observe: Any, everything: ConsentMask, days: Any
) -> None:
    world = random_world(31, members=60)
    pairs = _observed(world, np.random.default_rng(31), days(0))
    values = pd.DataFrame(
        {name: value for category in CATEGORIES for name, value in expected(seen, category).items()}
        for seen in (Seen(world, member, as_of, lambda other: True) for member, as_of in pairs)
    )
    assert list(values) == list(registry)
    still = [name for name in values if values[name].nunique() < 2]
    assert not still, f"the random world leaves {still} constant"
