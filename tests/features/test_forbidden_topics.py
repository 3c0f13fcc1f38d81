"""What no text of a feature may be about, in whatever spelling."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from benne.errors import RegistrationError
from benne.features import FeatureSpec, Registry, registry
from benne.features.forbidden_topics import strange_signs, topics_in

GOOD = registry["bill_share_180d"]
TEXTS = [field.name for field in fields(FeatureSpec) if field.type == "str" and field.name not in ("name", "category")]


@pytest.mark.parametrize("field", [*TEXTS, "actionable", "null_means"])
@pytest.mark.parametrize("said", ["religion", "nappies", "video games", "gifts to charity", "changes of address"])
def test_a_forbidden_topic_is_found_in_every_text(field: str, said: str) -> None:
    with pytest.raises(RegistrationError, match=f"its {field.replace('_', ' ')} touches the forbidden topic"):
        Registry([replace(GOOD, **{field: f"Share of it that says {said} 2017"})])


@pytest.mark.parametrize("said", [
    # the paper's examples, spelled otherwise
    "nappy", "Nappies", "NAPPIES", "diapers", "baby products", "videogames", "video-games", "VideoGames", "videoGame",
    "video_games", "gamer hours", "online games", "Playstation", "charities", "charitable", "donated", "donor",
    "address changes", "changed addresses", "changed their address", "previous address", "moving house", "moved flat",
    "times moved", "relocations", "years of residence", "zip code", "zip",
    # other forms of one word
    "religions", "Religious", "nonreligious", "irreligious", "interfaith", "unmarried", "grandchildren", "transgender",
    "multiracial", "inter-ethnic", "races", "wives", "familial", "parental leave",
    # spelled out, with digits, with marks
    "r.e.l.i.g.i.o.n", "s-e-x", "g e n d e r", "r3ligion", "g3nder", "s3x", "n4ppies", "5ex", "ré1igion", "réligion",
    # synonyms
    "faith", "Muslim", "Jewish", "kosher", "DNA", "genes", "sick leave and illness", "diabetes", "cancer", "patient",
    "handicap", "voters", "activists", "union dues", "labour union", "lesbian", "tribe", "tone of skin or skin tone",
    "women", "female", "male", "husband", "widows", "divorced", "kids", "toddlers", "mothers", "household size",
    "immigrants", "foreigners", "age", "Age in years", "age group", "how old", "years old", "older than most, elderly",
    "retirees", "students", "universities", "first name", "e-mail domain", "iPhone", "shopping", "casino", "wine",
    # loopholes of what is harmless
    "age of the account holder", "age of loan applicants", "age of the debtor",
    # rights
    "opted out", "withdrawals", "disputes", "complaints", "appeals", "objections", "look-ups", "looked up", "enquiry",
    "explanations", "explanation requests", "requests for an explanation", "asking for more explanation",
    "withdrawals of consent",
    # parted
    "reli-gion", "gen.der", "na-ppies", "chari_ty",
    # what harmless words look like
    "parent", "grandparents", "parenthood", "diplomas", "hospitals", "hospitalised", "pronouns",
    "diagnoses", "husbands", "spouses", "infants", "unfaithful wives", "faiths", "faith-based giving", "beliefs",
    "mental illness", "mentally ill", "generations", "gaming", "gamers", "donating", "donors", "babies",
])  # fmt: skip
def test_a_forbidden_topic_is_found_in_every_spelling(said: str) -> None:
    assert topics_in(f"Share of {said} in a year")
    with pytest.raises(RegistrationError, match=r"'bill_share_180d' .* its rationale touches the forbidden topic"):
        Registry([replace(GOOD, rationale=f"It tells of {said} in a year")])


@pytest.mark.parametrize("said", [
    "r\u0435ligion", "se\u200bx", "gen\u00adder", "r\u0301eligion", "ｇｅｎｄｅｒ", "𝐬𝐞𝐱", "nap\u2060pies",
    "ɡender", "ᴀge", "gend\u202eer", "ⓢⓔⓧ", "αge",
])  # fmt: skip
def test_signs_that_hide_a_word_are_refused(said: str) -> None:
    assert strange_signs(said)
    with pytest.raises(RegistrationError, match="which hides what it says"):
        Registry([replace(GOOD, label=f"Share of {said} in a year")])


@pytest.mark.parametrize("said", [
    "Age of the oldest contract", "Average age of accounts", "Age of all contracts", "Average balance",
    "Relationship age", "Essex bank transfers", "Trace of it", "Settled in good faith", "Financial health",
    "A healthier balance", "Percentage of limit", "Usage of the limit", "Message sent", "Managed well",
    "Template of payment", "Selection of days", "Bracelets", "Engender trust", "Familiar counterparties",
    "Forgetful payer", "Accented months", "Addressed in time", "Supplemental income", "Fundamental cover",
    "Apparent cover", "Parenthesis", "Grace period", "Therefore late", "Unionized transfers",
    "Credit union transfers", "Senior debt", "Foreign currency", "Embrace", "Sextant", "Malevolent",
    "Pattern of repayment", "Much moves in cash", "Between the houses of banks", "Betterment", "Beta", "Winery-free",
    "Transparent costs", "Transparency", "An explanation of the delay", "Generally on time", "General balance",
    "Faithfully repaid", "A pronounced fall", "Hospitality", "Diplomatic", "Espoused by lenders", "Realms",
    "Diagnostic of strain", "Regeneration", "Income generation", "Cash withdrawals", "cash_withdrawals_90d",
    "Withdrawals of cash", "Infantry", "Mentality", "Written in plain language",
])  # fmt: skip
def test_a_word_that_only_sounds_forbidden_is_not(said: str) -> None:
    assert topics_in(said) == ()


@pytest.mark.parametrize("name", list(registry))
def test_nothing_registered_sounds_forbidden(name: str) -> None:
    assert Registry([registry[name]])[name] is registry[name]
