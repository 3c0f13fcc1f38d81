"""What is said about each public data set: where it is, what is predicted, where each field went."""

from __future__ import annotations

from typing import Final

from benne.experiments.datasets.dataset import DatasetAbout, FieldMapping

__all__ = ["BERKA", "MONTHLY_STATUS", "TAIWAN"]


def _exact(field: str, goes_to: str, note: str = "") -> FieldMapping:
    return FieldMapping(field, goes_to, "exact", note)


def _derived(field: str, goes_to: str, note: str) -> FieldMapping:
    return FieldMapping(field, goes_to, "derived", note)


def _absent(field: str, goes_to: str, note: str) -> FieldMapping:
    return FieldMapping(field, goes_to, "absent", note)


_FAIRNESS_ONLY: Final = "read by fairness code only"
_NOT_THERE: Final = "not in the original"

TAIWAN: Final = DatasetAbout(
    name="taiwan",
    title="UCI 350, default of credit card clients, Taiwan 2005 (Yeh and Lien 2009)",
    licence="CC BY 4.0",
    address="https://doi.org/10.24432/C55S3H",
    download=(
        "Download UCI_Credit_Card.csv from"
        " https://www.kaggle.com/datasets/uciml/default-of-credit-card-clients-dataset, or the zip from"
        " https://archive.ics.uci.edu/dataset/350 (its .xls needs the package xlrd), into uci_taiwan/."
    ),
    population="all 30,000 card holders of the file",
    as_of="2005-10-01, after the six statements of April to September 2005",
    label="default on the payment due in October 2005, as the file says",
    split="70/30 stratified by the label, random_state 0",
    categories=("credit_history", "behaviour", "ability"),
    field_map=(
        _exact("ID", "members.member_id", "also the card's obligation_id: one card each"),
        _exact("LIMIT_BAL", "account_status.limit", "dollars × 100; one limit is given, and stands in each month"),
        _exact(
            "PAY_0, PAY_2 … PAY_6",
            "account_status.months_past_due",
            "September back to April; values below 1 are 0 months",
        ),
        _derived(
            "PAY_0, PAY_2 … PAY_6",
            "account_status.status",
            "−2 no_balance, −1 current (paid in full), 0 revolving (minimum paid), 1 and more late",
        ),
        _exact("BILL_AMT1 … 6", "account_status.statement_amount", "dollars × 100; may be negative"),
        _exact(
            "PAY_AMT1 … 6",
            "account_status.amount_paid",
            "dollars × 100, paid in that month (towards the statement before)",
        ),
        _derived(
            "column numbers 1 … 6",
            "account_status.event_time",
            "last day of the month, UTC; known_at is the same; period_start is the first day",
        ),
        _absent("-", "account_status.balance", "only the statement is known"),
        _derived(
            "-",
            "members.event_time",
            "start of the first observed month, 2005-04-01: when they joined is not known",
        ),
        _derived("AGE", "members.adult", "18 or older: everybody is, the youngest is 21; only the flag goes on"),
        _absent("-", "obligation_events", "when the card was opened is not known"),
        _absent("-", "incomes, balances, payments, verifications, interactions", _NOT_THERE),
        _exact("SEX, EDUCATION, MARRIAGE, AGE", "protected", _FAIRNESS_ONLY),
        _exact("default.payment.next.month", "label"),
    ),
)

MONTHLY_STATUS: Final = DatasetAbout(
    name="monthly_status",
    title="Credit card applications and monthly status (Kaggle, rikdifos/credit-card-approval-prediction)",
    licence="CC0",
    address="https://www.kaggle.com/datasets/rikdifos/credit-card-approval-prediction",
    download=(
        "Download credit_record.csv and application_record.csv (plain, zipped each, or Kaggle's archive.zip) from"
        " https://www.kaggle.com/datasets/rikdifos/credit-card-approval-prediction into cc_approval_monthly/."
    ),
    population=(
        "cards with a row in the last month before as_of, open then (not C) and not 30 or more days past due,"
        " whose twelve outcome months are complete or turn bad: 12,361"
    ),
    as_of="12 months before extraction: 2019-04-01, month 0 being declared to be March 2020",
    label=(
        "30 or more days past due in any of the 12 months after as_of; only 98 of these cards reach 60 days (125 if"
        " cards 30 days late at as_of were left in), so that this differs from Benne's default"
    ),
    split="five folds, shuffled and stratified, random_state 0, grouped by identical application rows",
    categories=("credit_history", "behaviour"),
    field_map=(
        _exact("credit_record.ID", "members.member_id", "also the card's obligation_id: one card each"),
        _derived(
            "MONTHS_BALANCE",
            "account_status.event_time",
            "last day of the month, UTC, month 0 being declared to be March 2020; known_at is the same",
        ),
        _derived("MONTHS_BALANCE", "account_status.period_start", "first day of that month"),
        _exact(
            "STATUS",
            "account_status.months_past_due",
            "1 … 5 are 30–59 days … 150 and more or written off; 0, C and X are 0",
        ),
        _derived(
            "STATUS",
            "account_status.status",
            "0 (1–29 days past due) to 5 late, X (no loan that month) no_balance, C (paid off; no card comes"
            " back from it but one) closed",
        ),
        _derived(
            "first MONTHS_BALANCE",
            "obligation_events.event_time",
            "opened at the start of the first month; left out where that is month −60, where the panel begins",
        ),
        _derived("first MONTHS_BALANCE", "members.event_time", "start of the first observed month"),
        _derived("-", "members.adult", "a bank's card holder; the youngest applicant known is 21"),
        _absent(
            "-",
            "account_status.balance, statement_amount, amount_paid, limit",
            "the panel has no amounts: no ability, no utilisation",
        ),
        _absent("AMT_INCOME_TOTAL", "incomes", "declared, without a date or a receipt: no income event"),
        _absent("NAME_INCOME_TYPE, OCCUPATION_TYPE", "incomes", "undated; pensioner stands for age"),
        _absent(
            "DAYS_EMPLOYED",
            "verifications",
            "counted from extraction, which is after the outcome; nothing says that it was verified",
        ),
        _absent("FLAG_OWN_CAR, FLAG_OWN_REALTY", "balances", "undated and without an amount"),
        _absent("NAME_HOUSING_TYPE", "-", "undated; a proxy of family and age"),
        _absent(
            "FLAG_MOBIL, FLAG_WORK_PHONE, FLAG_PHONE, FLAG_EMAIL",
            "verifications",
            "given, not verified, and undated: no verification event",
        ),
        _exact(
            "CODE_GENDER, DAYS_BIRTH, NAME_FAMILY_STATUS, CNT_CHILDREN, CNT_FAM_MEMBERS, NAME_EDUCATION_TYPE",
            "protected",
            f"{_FAIRNESS_ONLY}; null for cards without an application",
        ),
        _absent("-", "payments, balances, incomes, verifications, interactions", _NOT_THERE),
        _derived("STATUS after as_of", "label", "1 to 5 in any of the months −11 … 0"),
    ),
)

BERKA: Final = DatasetAbout(
    name="berka",
    title="PKDD'99 discovery challenge, financial data of a Czech bank (Berka 1999)",
    licence="challenge data, no licence stated: local use only",
    address="https://sorry.vse.cz/~berka/challenge/pkdd1999/berka.htm",
    download=(
        "Download data_berka.zip (account.asc, client.asc, disp.asc, loan.asc, trans.asc) from"
        " https://sorry.vse.cz/~berka/challenge/pkdd1999/berka.htm and unpack it into berka/."
    ),
    population="the 354 accounts whose loan was granted from 1997-01-01 on; the member is the account's owner",
    as_of="the day the loan was granted; only transactions before it are taken",
    label="loan status B or D at the end of 1998 (unpaid, or running in debt); censored: A and C say good so far",
    split="five folds, shuffled and stratified, random_state 0",
    categories=("behaviour", "ability", "social"),
    field_map=(
        _exact("trans.account_id", "members.member_id", "the account stands for its owner"),
        _exact("account.date", "members.event_time", "the account's opening"),
        _derived(
            "client.birth_number",
            "members.adult",
            "18 or older when the loan was granted: all but 8, whom a platform would not score; the set is used whole",
        ),
        _exact(
            "trans.date",
            "payments.event_time, balances.event_time",
            "the day, UTC; rows of one day stand a microsecond apart, in the order in which the running balance"
            " chains; known_at is the same",
        ),
        _exact("trans.type", "payments.direction", "credit in, withdrawal out"),
        _derived(
            "trans.operation, k_symbol",
            "payments.kind",
            "cash, transfer; by k_symbol interest (credited), fee (the penalty for a negative balance), bill"
            " (statement, household, insurance, loan); what a bill was for is dropped",
        ),
        _exact("trans.amount", "payments.amount", "crowns × 100"),
        _absent("-", "payments.status", "only booked transactions are in the file: nothing says how many failed"),
        _derived("trans.bank, account", "payments.counterparty_id", "both joined; null where there is no account"),
        _exact("trans.balance", "balances.amount", "crowns × 100, after the transaction"),
        _exact(
            "trans.k_symbol = old-age pension",
            "incomes",
            "kind pension, regular; none of the 354 has one, so that the table is absent",
        ),
        _absent("trans.k_symbol otherwise", "incomes", "nothing says that a credit is income"),
        _absent("loan.amount, duration, payments", "-", "terms of the loan that is being decided on"),
        _absent("order.*", "-", "standing orders without a date; some pay this very loan"),
        _absent("card.issued", "obligation_events", "a bank card; nothing says that it lends"),
        _absent("disp.type = DISPONENT", "interactions", "co-users without a date"),
        _absent("district.*", "-", "facts about a place, not about the member"),
        _absent("-", "account_status, dues, repayments, verifications", _NOT_THERE),
        _derived("client.birth_number", "protected", f"sex (month + 50 for women), date of birth; {_FAIRNESS_ONLY}"),
        _exact("client.district_id", "protected", f"a proxy; {_FAIRNESS_ONLY}"),
        _derived("loan.status", "label", "B and D are bad"),
    ),
)
