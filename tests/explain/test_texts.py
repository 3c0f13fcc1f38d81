"""Everything that members and staff are told is complete, specific and plain in both languages."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benne.errors import TextMissing
from benne.explain.texts import LANGUAGES, Texts, texts_of
from benne.explain.texts.agreement import disagreements
from benne.explain.texts.catalogue import messages_of, places_of, wrong_places
from benne.explain.texts.lint import FIELDS, findings, lint_features, lint_messages, said_of
from benne.explain.texts.plain_words import jargon_in, topics_of, vague_in
from benne.explain.texts.reading_ease import syllables, years_of_school
from benne.explain.texts.values import number_in_words, value_in_words
from benne.explain.texts.wellformed import flaws
from benne.features import registry
from benne.features.categories import CATEGORIES
from benne.models.scale import BAND_SCHEMES, DEFAULT_BANDS
from benne.scoring.consent import vocabulary as words
from benne.scoring.store.access_tables import ROLES

GOOD = {
    "en": {
        "label": "Payments late in the last 30 days",
        "adverse_reason": "A payment was late in the last 30 days",
        "favourable_reason": "No payment was late in the last 30 days",
        "null_means": "",
        "actionable": "Settle what is overdue now",
    },
    "zh": {
        "label": "近 30 天逾期笔数",
        "adverse_reason": "近 30 天内有款项逾期",
        "favourable_reason": "近 30 天内没有款项逾期",
        "null_means": "",
        "actionable": "请尽快结清目前逾期的款项",
    },
}


def rules_broken(language: str, **changed: str) -> set[str]:
    said = {"late_count_30d": GOOD[language] | changed}
    categories = [texts_of(language).category(name) for name in CATEGORIES]
    return {finding.rule for finding in lint_features(language, said, registry, categories)}


# ------------------------------------------------------------- what there is


def test_no_text_of_any_area_or_language_breaks_a_rule():
    assert [str(finding) for finding in findings()] == []


def test_a_spoilt_file_of_either_language_is_found(monkeypatch):
    spoilt = {
        "en": messages_of("en") | {"common.role.admin": "TODO"},
        "zh": messages_of("zh") | {"features.late_count_30d.label": "", "common.at_time": "{day}"},
    }
    del spoilt["zh"]["common.yes"]
    monkeypatch.setattr("benne.explain.texts.lint.messages_of", spoilt.__getitem__)
    assert {(finding.language, finding.key, finding.rule) for finding in findings()} == {
        ("en", "common.role.admin", "unfinished"),
        ("zh", "common.yes", "missing"),
        ("zh", "common.at_time", "places"),
        ("zh", "features.late_count_30d.label", "missing"),
        ("zh", "features.late_count_30d.label", "empty"),
    }


def test_the_lint_sees_every_text_of_every_feature():
    chinese = said_of("zh", registry, messages_of("zh"))
    assert sorted(chinese) == sorted(registry)
    said = sum(bool(text) for fields in chinese.values() for text in fields.values())
    wanted = sum(bool(getattr(registry[name], field)) for name in registry for field in FIELDS)
    assert said == wanted > 400


def test_chinese_says_of_no_feature_more_than_is_registered():
    features = {key.split(".")[1] for key in messages_of("zh") if key.startswith("features.")}
    fields = {key.split(".")[2] for key in messages_of("zh") if key.startswith("features.")}
    assert features == set(registry)
    assert fields == set(FIELDS)


def test_the_lint_sees_every_area_of_both_languages():
    areas = [{key.split(".")[0] for key in messages_of(language)} - {"features"} for language in LANGUAGES]
    assert areas[0] == areas[1] >= {"common", "units"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_unit_of_the_registry_has_a_name(language):
    units = {registry[name].unit.replace(" ", "_").replace(",", "") for name in registry}
    assert {unit for unit in units if not texts_of(language).has(f"units.{unit}")} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_closed_vocabularies_has_a_name(language):
    wanted = {
        "category": CATEGORIES,
        "category_means": CATEGORIES,
        "band": [band.name.replace(" ", "_") for band in DEFAULT_BANDS],
        "band_means": [band.name.replace(" ", "_") for band in DEFAULT_BANDS],
        "role": ROLES,
        "purpose_name": words.PURPOSES,
        "purpose_class": words.PURPOSE_CLASS_NAMES,
        "consent_type": words.CONSENT_TYPES,
        "consent_state": words.STATES,
        "granularity": words.GRANULARITIES,
        "reliance": words.RELIANCES,
        "jurisdiction": words.JURISDICTIONS,
    }
    texts = texts_of(language)
    assert [
        f"{table}.{word}" for table in wanted for word in wanted[table] if not texts.has(f"common.{table}.{word}")
    ] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_bands_of_letters_are_named_as_they_are(language):
    texts = texts_of(language)
    letters = [band.name for scheme in ("A-D", "AAA-D") for band in BAND_SCHEMES[scheme]]
    assert [texts.band(name) for name in letters] == letters
    assert {texts.band_means(name) for name in letters} == {""}


# -------------------------------------------------- each rule has its teeth


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_good_text_breaks_no_rule(language):
    assert rules_broken(language) == set()


@pytest.mark.parametrize(
    ("language", "field", "bad", "rule"),
    [
        ("en", "adverse_reason", "Score too low", "vague"),
        ("en", "adverse_reason", "Internal policy was not met", "vague"),
        ("en", "adverse_reason", "Credit history", "vague"),
        ("en", "adverse_reason", "Risk was seen as high overall", "vague"),
        ("zh", "adverse_reason", "信用评分过低", "vague"),
        ("zh", "adverse_reason", "不符合内部政策", "vague"),
        ("zh", "adverse_reason", "信用历史", "vague"),
        ("zh", "adverse_reason", "综合评分不足", "vague"),
        ("en", "adverse_reason", "Revolving utilisation was high", "jargon"),
        ("en", "actionable", "Reduce your DPD soon", "jargon"),
        ("en", "null_means", "value imputed", "jargon"),
        ("zh", "adverse_reason", "违约概率高于平均水平", "jargon"),
        ("zh", "label", "逾期特征变量", "jargon"),
        ("en", "adverse_reason", "The member is too young in age", "protected topic"),
        ("en", "favourable_reason", "The member is married", "protected topic"),
        ("en", "adverse_reason", "The member asked for a review of a disputed item", "protected topic"),
        ("zh", "adverse_reason", "会员的年龄还比较小", "protected topic"),
        ("zh", "favourable_reason", "会员已婚且有子女", "protected topic"),
        ("zh", "adverse_reason", "会员的年 龄还比较小", "protected topic"),
        ("zh", "adverse_reason", "会员曾经撤回授权", "protected topic"),
        ("en", "adverse_reason", "3 payments were late", "figure"),
        ("en", "actionable", "Pay 500 by Monday", "figure"),
        ("zh", "adverse_reason", "有 3 笔款项逾期", "figure"),
        ("en", "adverse_reason", "A payment was late. It was long", "form"),
        ("en", "adverse_reason", "A payment was late.", "form"),
        ("en", "label", "payments late lately", "form"),
        ("en", "adverse_reason", "A payment of {amount} was late", "form"),
        ("zh", "adverse_reason", "近期有款项逾期。", "form"),
        ("zh", "adverse_reason", "近期有 loan 逾期未付", "form"),
        ("en", "adverse_reason", "Late payment", "too short"),
        ("zh", "adverse_reason", "逾期", "too short"),
        ("en", "adverse_reason", "A payment " + "that was late and " * 6 + "late", "too long"),
        ("zh", "adverse_reason", "近期有款项逾期" * 6, "too long"),
        ("en", "adverse_reason", "Antidisestablishmentarianism was paid late", "hard to read"),
        ("en", "adverse_reason", "No payment was late in the last 30 days", "both ways"),
        ("zh", "adverse_reason", "近 30 天内没有款项逾期", "both ways"),
        ("en", "adverse_reason", "", "missing"),
        ("zh", "actionable", "", "missing"),
        ("zh", "null_means", "尚无到期款项", "not asked for"),
        ("zh", "label", "近 30 天逾期笔数 TODO", "unfinished"),
    ],
)  # fmt: skip
def test_a_text_of_a_feature_is_refused_for(language, field, bad, rule):
    assert rule in rules_broken(language, **{field: bad})


def test_english_reasons_that_ask_for_a_degree_are_refused():
    hard = "Considerable accumulated obligations necessitated extraordinary reconsideration of repayment capability"
    assert "hard to read" in rules_broken("en", adverse_reason=hard)


@pytest.mark.parametrize("language", LANGUAGES)
def test_features_of_two_groups_may_not_say_the_same(language):
    said = said_of(language, registry, messages_of(language))
    said["bill_share_180d"] = {**said["bill_share_180d"], "adverse_reason": said["cash_share_180d"]["adverse_reason"]}
    assert list(lint_features(language, said, registry)) == []  # the same group
    said["bill_share_180d"] = {**said["bill_share_180d"], "adverse_reason": said["savings_last"]["adverse_reason"]}
    assert [finding.rule for finding in lint_features(language, said, registry)] == ["repeated"]
    said["bill_share_180d"] = {
        **said["bill_share_180d"],
        "adverse_reason": said["cash_share_180d"]["favourable_reason"],
    }
    assert [finding.rule for finding in lint_features(language, said, registry)] == ["repeated"]


@pytest.mark.parametrize(
    ("language", "text", "rule"),
    [
        ("en", " \n", "empty"),
        ("en", "Your score: TODO", "unfinished"),
        ("zh", "待译", "unfinished"),
        ("en", "Your <b>score</b>", "markup"),
        ("en", "Your score &amp; more", "markup"),
        ("en", "Your score {member.__class__}", "place"),
        ("en", "Your score {0}", "place"),
        ("en", "Your score {}", "place"),
        ("en", "Your score {member[key]}", "place"),
        ("en", "Your score {member!r}", "place"),
        ("en", "Your score {score:{width}}", "place"),
        ("en", "Your score {score", "place"),
        ("en", "Your\u202escore", "hidden sign"),
        ("en", "Your\u200bscore", "hidden sign"),
        ("en", "Your score 分", "language"),
        ("en", "Your score，then", "language"),
        ("zh", "Your score", "language"),
        ("zh", "您的 score", "language"),
        ("zh", "您的信用分,今天", "half-width sign"),
        ("zh", "信用分：７００", "full-width digit"),
        ("zh", "您的帳單應還金額", "traditional character"),
        ("zh", "你的信用分", "informal"),
        ("en", "Your  score", "form"),
        ("en", "Your score\n", "form"),
    ],
)  # fmt: skip
def test_a_message_is_refused_for(language, text, rule):
    assert rule in {found for found, _ in flaws(language, text)}


@pytest.mark.parametrize("text", ["{score:,} of {highest}", "{{braces}}", "{share:.0%}", "Line\nline", "{a}{b_2}"])
def test_plain_places_and_line_breaks_are_no_flaw(text):
    assert list(flaws("en", text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "请运行 benne apikey new，密钥以 benne_ 开头。",
        "例如 https://landlord.example",
        "请设置 anchors_public_key。",
        "只能是 A-Z、a-z、0-9。",
        "PDF的字体",
    ],
)
def test_names_commands_and_addresses_stay_as_they_are_in_chinese(text):
    assert list(flaws("zh", text)) == []


def test_sentences_that_do_not_end_and_jargon_are_refused_for_members_but_not_for_staff():
    messages = {"report.a": "Your delinquency", "console.a": "Delinquency", "report.b": "word " * 33}
    assert [(finding.key, finding.rule) for finding in lint_messages("en", messages)] == [
        ("report.a", "jargon"), ("report.b", "too long"),
    ]  # fmt: skip
    assert [finding.rule for finding in lint_messages("zh", {"report.b": "款项逾期" * 18})] == ["too long"]


def test_names_of_places_are_not_read_as_words():
    assert list(lint_messages("zh", {"report.a": "您的信用分是 {percentile} 分"})) == []


def test_languages_must_have_the_same_keys_and_places():
    en = {"a.one": "{day}", "a.two": "Yes", "units.one.days": "day", "units.days": "days"}
    zh = {"a.one": "{date}", "a.three": "否", "features.x.label": "项", "units.days": "{number} 天"}
    assert sorted(disagreements(en, zh)) == [
        ("en", "a.three", "missing", "it is in zh"),
        ("zh", "a.one", "places", "en has day, zh has date"),
        ("zh", "a.two", "missing", "it is in en"),
    ]


def test_a_finding_names_language_key_and_rule():
    (finding,) = lint_messages("zh", {"report.title": "你好"})
    assert str(finding) == "zh report.title: informal: 你"


def test_words_are_found_at_their_beginnings_only():
    assert list(vague_in("en", "Underscored twice")) == []
    assert list(jargon_in("en", "The update was paid")) == []
    assert list(topics_of("en", "Few members gave an endorsement")) == []


@pytest.mark.parametrize(
    ("word", "count"),
    [("late", 1), ("settled", 2), ("verified", 3), ("payment", 2), ("little", 2), ("statement", 2), ("obligation", 4)],
)
def test_syllables_are_counted_as_they_are_said(word, count):
    assert syllables(word) == count


def test_years_of_school_follow_the_published_formula():
    # 2 sentences, 12 words, 13 syllables, counted by hand.
    assert years_of_school(["The dog ran to the old house. It was very late then"]) == pytest.approx(
        0.39 * 12 / 2 + 11.8 * 13 / 12 - 15.59
    )


# ------------------------------------------------------------ how it is said


@given(st.text())
def test_a_value_with_braces_is_never_read_as_a_place(hostile):
    texts = Texts("en", {"a.b": "Statement: {said}"})
    assert texts.say("a.b", said=hostile) == f"Statement: {hostile}"


@given(st.text(alphabet="{}ab!:.[]0_% ,", max_size=12))
def test_a_message_is_either_refused_or_filled_in_without_reaching_into_values(text):
    if wrong_places(text):
        with pytest.raises(TextMissing, match=r"Places of a text must be plain names, got others in a\.b"):
            Texts("en", {"a.b": text})
    else:
        assert "\x00" not in Texts("en", {"a.b": text}).say("a.b", **dict.fromkeys(places_of(text), 7))


def test_a_place_without_value_a_word_for_a_number_and_an_unknown_key_are_refused():
    texts = Texts("en", {"a.b": "{score:,}"})
    with pytest.raises(TextMissing, match=r"Text a\.b must be given each place's value, got none for 'score'"):
        texts.say("a.b")
    with pytest.raises(TextMissing, match=r"Text a\.b must be given a number where it asks for one") as refused:
        texts.say("a.b", score="hostile")
    assert "hostile" not in str(refused.value)
    with pytest.raises(TextMissing, match=r"Add it to explain/texts/en/a\.toml"):
        texts.say("a.c")
    with pytest.raises(TextMissing, match="A language must be one of en, zh, got another"):
        texts_of("fr")


@pytest.mark.parametrize(
    ("feature", "value", "english", "chinese"),
    [
        ("days_since_late", 3.0, "3 days", "3 天"),
        ("days_since_late", 1.0, "1 day", "1 天"),
        ("late_count_30d", 1.0, "1 time", "1 次"),
        ("in_out_ratio_180d", 1.0, "1 times as much", "1 倍"),
        ("on_time_share_90d", 0.4, "40%", "40%"),
        ("on_time_share_5y", 0.998, "99.8%", "99.8%"),
        ("on_time_share_5y", 1.0, "100%", "100%"),
        ("verification_strength_mean", 1.2, "1.2 (on a scale of 1 to 3)", "1.2（分 1 至 3 级，3 级最强）"),
        ("lead_days_mean_365d", -3.0, "3 days after the due date", "到期日后 3 天"),
        ("lead_days_mean_365d", 2.0, "2 days before the due date", "提前 2 天"),
        ("savings_buffer_months", 2.5, "2.5 months of spending", "相当于 2.5 个月的支出"),
        ("balance_last", -123456.0, "−1,235", "−1,235"),
        ("overdue_amount", 30.0, "0.30", "0.30"),
        ("days_since_late", None, "never late in five years", "近五年没有逾期"),
        ("days_since_late", float("nan"), "never late in five years", "近五年没有逾期"),
        ("late_count_30d", None, "not known", "未知"),
        ("not_registered", 3.0, "3", "3"),
    ],
)
def test_values_read_well_in_both_languages(feature, value, english, chinese):
    assert texts_of("en").value(feature, value) == english
    assert texts_of("zh").value(feature, value) == chinese


@given(st.floats(-1e14, 1e14), st.sampled_from(["days", "share", "minor units"]))
def test_numbers_have_neither_exponent_nor_hyphen_nor_a_zero_below_zero(value, unit):
    shown = value_in_words(value, unit, "")
    assert re.fullmatch(r"[<>]?−?\d{1,3}(,\d{3})*(\.\d+)?%?", shown)
    assert not re.fullmatch(r"−[0.,]+%?", shown)


@given(st.floats(0.05, 1e9))
def test_a_number_is_shown_to_two_digits_or_better(value):
    shown = float(number_in_words(value).replace(",", ""))
    assert shown == pytest.approx(value, rel=0.1)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="A value must be a finite number, got another"):
        value_in_words(value, "days", "days")


def test_days_and_points_are_written_as_each_language_does():
    english, chinese = texts_of("en"), texts_of("zh")
    assert [texts.day(date(2026, 3, 1)) for texts in (english, chinese)] == ["1 March 2026", "2026年3月1日"]
    assert english.day(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)) == "31 December 2026"
    assert [english.points(shown) for shown in (12, 0, -7)] == ["+12", "0", "−7"]


def test_an_unregistered_feature_or_category_is_named_as_it_is():
    texts = texts_of("zh")
    assert (texts.label("own_feature"), texts.category("own"), texts.category_means("own")) == (
        "own_feature",
        "own",
        "",
    )
    assert texts.reason("own_feature", favourable=True) == ""
    assert texts.action("own_feature") is None


def test_chinese_is_told_of_every_feature():
    texts, han, latin = texts_of("zh"), re.compile("[\u4e00-\u9fff]"), re.compile("[A-Za-z]")
    for feature in registry:
        said = [texts.label(feature), texts.reason(feature, favourable=True), texts.reason(feature, favourable=False)]
        said += [texts.null_means(feature), texts.action(feature) or "无"]
        assert [text for text in said if not han.search(text) or latin.search(text)] == [], feature
        assert not latin.search(texts.value(feature, registry[feature].minimum)), feature
