"""What the benchmark of the console does in processes of its own: fill a service, ask for its pages."""

from __future__ import annotations

import html
import re
import secrets
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from measuring import answer
from model_world import named, rows_of
from validated import verdict_on

_COLUMNS, _LEARNED_FROM = 60, 20_000
_CHUNK: Final = 1_000
_HEAVY: Final = 25  # decisions about the members whose pages are measured
_MEASURED: Final = 20  # members
_PASS: Final = 250
_LINES: Final = 300  # of each table of a document about the model


def prepare(folder: str, members: int, cases: int, trees: int) -> dict[str, Any]:
    """Members with consents and features; a roll-out under way, documents on file; some thousand decisions, disputes,
    reviews and notices.
    """
    from benne.models import BoosterOptions, CreditScoreModel
    from benne.scoring.consent.terms_file import TermsDraft, write_terms
    from benne.scoring.laying_out import lay_out
    from benne.scoring.service_wiring import opened_service
    from benne.scoring.settings import read_settings

    home = Path(folder)
    X, y = rows_of(max(_LEARNED_FROM, members), _COLUMNS)
    frame, categories = named(X)
    options = BoosterOptions(max_trees=trees, patience=trees, folds=2)
    model = CreditScoreModel(categories=categories, booster=options, unconstrained_price=False)
    model.fit(frame.iloc[:_LEARNED_FROM], y[:_LEARNED_FROM]).save(home / "model")
    challenger = CreditScoreModel(categories=categories, booster=options, unconstrained_price=False, random_state=1)
    challenger.fit(frame.iloc[:_LEARNED_FROM], y[:_LEARNED_FROM]).save(home / "challenger")
    (home / "terms").mkdir()
    for purpose, recipient in (("lending", "shop"), ("own_report", "platform")):
        write_terms(home / "terms" / f"{purpose}.toml", TermsDraft(purpose, recipient, "Example Ltd", "exact"))
    verdict = verdict_on(home / "model", model.explain(frame.iloc[:1_000]).largest_gap, home / "verdict.db")
    lay_out(home / "service", home / "model", validated_in=verdict, terms=home / "terms")
    with opened_service(read_settings(home / "service", rate_per_second=0)) as service:
        subjects = [service.subject_of(f"m{k}") for k in range(members)]
        office = _register(service)
        _know(service, subjects, frame)
        _govern(service, home / "challenger")
        _decide(service, subjects[:cases])
        for _ in range(_HEAVY):
            _decide(service, subjects[:_MEASURED])
        _open_cases(service, subjects[:cases])
        with service.store.read() as connection:
            counted = {
                name: connection.exec_driver_sql(f"SELECT count(*) FROM {name}").scalar_one()  # noqa: S608 - our names
                for name in ("members", "member_payloads", "audit_records", "rights_cases", "notices")
            }
        keys = {role: office(role) for role in ("compliance", "admin")}
        keys["member"] = office("member", subject_id=subjects[0])
    return {"counted": counted, "keys": keys}


def _register(service: Any) -> Any:
    from benne.scoring.access.administration import Administration
    from benne.scoring.access.api_keys import ApiKeys
    from benne.scoring.access.principal import Principal

    administration = Administration(Principal(id="bench", role="admin"), service.ids, service.policies.version)
    service.group.submit(administration.register("shop", contact="dpo@shop.example", purposes=["lending"]))

    def key(role: Any, **bound: Any) -> str:
        made = service.group.submit(administration.new_key(ApiKeys(secrets.token_bytes), role, **bound))
        return str(made.result.text)

    return key


def _know(service: Any, subjects: list[str], frame: Any) -> None:
    """Everybody consents to everything, for two recipients, and their features are on hand for both."""
    from benne.features.categories import CATEGORIES
    from benne.features.engines.online import FeatureVector
    from benne.scoring import Capture, ConsentRequest

    capture = Capture(channel="app", method="toggle_switched_on", steps=1, session_hash="ab" * 32)
    names, values = tuple(frame.columns), frame.to_numpy()
    everything = dict.fromkeys(CATEGORIES, True)
    for offer in ("lending", "own_report"):
        terms = service.terms[offer].terms
        service.ledger.grant_many(
            ConsentRequest(subject_id=one, terms=terms, capture=capture, categories=CATEGORIES) for one in subjects
        )
        now = datetime.now(UTC)
        for start in range(0, len(subjects), _CHUNK):
            some = range(start, min(start + _CHUNK, len(subjects)))
            vectors = [FeatureVector(subjects[k], now, names, values[k], everything) for k in some]
            with service.store.write() as connection:
                service.vectors.keep(connection, vectors, purpose=terms.purpose, recipient=terms.recipient,
                                     now_us=int(now.timestamp() * 1e6))  # fmt: skip


def _govern(service: Any, challenger: Path) -> None:
    """A challenger in the shadow of all that is decided, and documents about the model that serves, of many rows."""
    from benne.scoring.decisions.request import Actor
    from benne.scoring.governance.documents import file_document

    actor, served = Actor("bench", "admin"), service.models.current
    service.rollouts.begin(service.shelf.put(challenger), actor)
    service.rollouts.follow()
    lines = [{"group": f"group {k}", **{f"figure_{n}": k + n / 10 for n in range(8)}} for k in range(_LINES)]
    for kind in ("card", "fairness", "gaming", "categories", "monitoring"):
        content = {
            "format": 1, "kind": kind, "model": {"model_id": served.model_id, "config_hash": served.config_hash},
            "made_at": "2026-11-30T00:00:00+00:00", "by": "bench", "notes": ["Of a benchmark."],
            "measures": {f"{kind}.figure_{n}": {"value": n / 10, "low": 0.0, "high": 1.0, "n": 1_000,
                                                "state": "measured", "note": ""} for n in range(20)},
            "tables": {"groups": lines, "again": lines},
        }  # fmt: skip
        service.group.submit(
            file_document(content, actor=actor, event_id=service.ids(), policy_version=service.policies.version)
        )


def _decide(service: Any, subjects: list[str]) -> None:
    from benne.scoring.decisions.request import Actor, Refusal, ScoreRequest
    from benne.scoring.policy import Asked

    asked = Asked(recipient="shop", purpose="lending", context="platform", reliance="advisory", granularity="exact")
    actor, may = Actor("key:shop", "recipient"), frozenset({"lending"})
    for start in range(0, len(subjects), _PASS):
        some = subjects[start : start + _PASS]
        requests = [ScoreRequest(subject_id=one, asked=asked, actor=actor, registered_for=may) for one in some]
        refused = [one for one in service.maker.decide(requests) if isinstance(one, Refusal)]
        if refused:
            raise RuntimeError(f"Members must be scored to have decisions, got {refused[0].reason}. See the features.")


def _open_cases(service: Any, subjects: list[str]) -> None:
    """A dispute each; a third of them answered, which issues a notice; every tenth member asks for a review."""
    from benne.scoring.decisions.request import Actor
    from benne.scoring.disputes.dispute import Answer, Disputed
    from benne.scoring.members.recording import Doing
    from benne.scoring.reviews.reviewing import ReviewAsked

    staff, member = Doing(Actor("key:1", "compliance"), "audit"), Doing(Actor("key:2", "member"))

    def open_one(k: int) -> None:
        case = service.disputes.open(subjects[k], Disputed(topic="personal_data", text="Something is wrong."), member)
        if k % 3 == 0:
            answer = Answer(outcome="not_corrected", text="It is as in the register.")
            service.disputes.answer(case.case_id, case.version, answer, staff)
        if k % 10 == 0:
            with service.store.read() as connection:
                newest = service.vault.latest(connection, subjects[k], "decision")
            service.reviews.request(subjects[k], ReviewAsked(decision_id=newest.payload_ref), member)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(open_one, range(len(subjects))))


def ask(port: int, keys: dict[str, str], rounds: int) -> dict[str, Any]:
    """Ask for every page as a browser does, one after the other, and time it."""
    import httpx2

    times: dict[str, list[float]] = {}
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=False, timeout=30) as browser:
        for area, role in (("console", "compliance"), ("me", "member")):
            browser.post(f"/{area}/sign-in", data={"key": keys[role]})
        token = re.search(r'form_token" value="([0-9a-f]+)"', browser.get("/console/members").text)
        if token is None:
            raise RuntimeError("A page must hold a form's token, got none. Look at /console/members.")
        for turn in range(rounds):
            _round(browser, token.group(1), f"m{turn % _MEASURED}", times)
    return _summed_up(times)


def _summed_up(times: dict[str, list[float]]) -> dict[str, Any]:
    """Milliseconds by page, without the first of each, which loads what is lazy."""
    found = {name: np.array(each[1:]) * 1_000 for name, each in times.items()}
    return {
        name: {"p50": float(np.percentile(each, 50)), "p95": float(np.percentile(each, 95)), "most": float(each.max())}
        for name, each in found.items()
    }


def _round(browser: Any, token: str, member: str, times: dict[str, list[float]]) -> None:
    def timed(name: str, method: str, path: str, **more: Any) -> Any:
        begun = time.perf_counter()
        sent = browser.request(method, path, **more)
        times.setdefault(name, []).append(time.perf_counter() - begun)
        if sent.status_code not in (200, 303):
            raise RuntimeError(f"{name} must be answered, got status {sent.status_code}. See the server's log.")
        return sent

    timed("work queue", "GET", "/console/queue")
    queue = timed("work queue, filtered", "GET", "/console/queue?kind=dispute")
    more = re.search(r'/console/queue\?[^"]*after=[^"]+', queue.text)
    if more is not None:
        timed("work queue, second page", "GET", html.unescape(more.group(0)))
    case = re.search(r"/console/disputes/[0-9a-f-]+", queue.text)
    if case is not None:
        timed("a dispute", "GET", case.group(0))
    fields = {"form_token": token, "member_id": member, "what_for": "audit", "case": ""}
    at = timed("look-up", "POST", "/console/members", data=fields).headers["location"]
    for name, path in (("score and explanation", ""), ("history, 25 decisions", "/history"), ("consents", "/consents"),
                       ("member's disputes", "/disputes"), ("member's reviews", "/reviews"),
                       ("member's notices", "/notices"), ("what if (no events)", "/what-if")):  # fmt: skip
        timed(name, "GET", at + path)
    timed("report, HTML", "GET", f"{at}/report?as=html")
    timed("report, PDF", "GET", f"{at}/report?as=pdf")
    timed("audit chain", "GET", "/console/audit")
    timed("audit chain, a stretch verified", "POST", "/console/audit", data={"form_token": token},
          headers={"HX-Request": "true", "HX-Target": "audit-answer"})  # fmt: skip
    _see_the_model(timed)
    for name, path in (("policies", "/console/policies"), ("own score", "/me"),
                       ("own consents", "/me/consents"), ("own disputes", "/me/disputes")):  # fmt: skip
        timed(name, "GET", path)


def _see_the_model(timed: Any) -> None:
    """The model that serves, all that is on file about it, one document, live monitoring, and the roll-out."""
    shown = timed("model", "GET", "/console/model").text
    filed = re.search(r"/console/models/[0-9a-f]{64}(?=[\"'])", shown)
    if filed is None:
        raise RuntimeError("The page of the model must lead to what is on file about it. Look at /console/model.")
    listed = timed("on file about the model", "GET", filed.group(0)).text
    document = re.search(rf"{filed.group(0)}/[0-9A-Za-z-]+", listed)
    if document is None:
        raise RuntimeError("Documents must be on file about the model, got none. Look at the page.")
    timed("a document about the model", "GET", document.group(0))
    timed("live monitoring", "GET", "/console/monitoring")
    timed("roll-out", "GET", "/console/rollout")


def try_actions(folder: str, members: int, rounds: int) -> dict[str, Any]:
    """What-ifs, which need a member's own events: on a simulated platform, through the same pages."""
    from benne.experiments.demo.serving import lay_out_with_members
    from benne.scoring.wiring import system_clock

    home = Path(folder) / "platform"
    model = Path(folder) / "platform-model"
    gap = _real_model(Path(folder), model)
    verdict = verdict_on(model, gap, Path(folder) / "platform-verdict.db")
    lay_out_with_members(home, model, validated_in=verdict, members=members, seed=1, now=system_clock())
    return _timed_what_ifs(home, rounds)


def _real_model(folder: Path, target: Path) -> float:
    """A model of real features in its folder; gives the largest distance of a score from its points."""
    from benne.experiments.labelling import label_rows
    from benne.experiments.simulator import simulate
    from benne.experiments.training import train_model
    from benne.features import ConsentMask, SubjectKey, build_features, ingest
    from benne.features.frames import key_member_ids
    from benne.models import BoosterOptions, CreditScoreModel

    world, key = simulate(folder / "learned", members=2_000, seed=2), SubjectKey(bytes(32))
    events = ingest(world.raw, folder / "learned-events", key=key, ingested_at=world.extracted_at.to_pydatetime())
    observed, outcomes = (key_member_ids(frame, key) for frame in (world.observations(), world.outcomes()))
    features = build_features(events, observed, consents=ConsentMask.all_granted(reason="a benchmark of pages"))
    options = BoosterOptions(max_trees=200, patience=50, folds=2)
    run = train_model(label_rows(features, outcomes), CreditScoreModel(booster=options))
    run.model.save(target)
    return run.evaluation.largest_gap


def _timed_what_ifs(home: Path, rounds: int) -> dict[str, Any]:
    from fastapi.testclient import TestClient

    from benne.experiments.demo.serving import served_platform
    from benne.scoring.api.app import create_app
    from benne.scoring.decisions.request import Actor
    from benne.scoring.members.consenting import Choice
    from benne.scoring.members.recording import Doing
    from benne.scoring.service_wiring import opened_service
    from benne.scoring.settings import read_settings

    times: dict[str, list[float]] = {}
    with opened_service(read_settings(home, rate_per_second=0)) as service:
        shown = served_platform(home, service.ledger, service.subject_key)
        offered, subject_id = service.terms["own_report"], service.subject_of(shown.consenting)
        choice = Choice(offer="own_report", notice_hash=offered.notice.ref.hash, channel="app", steps=1,
                        method="toggle_switched_on", categories=("credit_history", "behaviour", "ability"))  # fmt: skip
        service.consenting.give(subject_id, choice, Doing(Actor("key:1", "member")))
        key = _register(service)("member", subject_id=subject_id)
        with TestClient(create_app(service, close=False), base_url="http://127.0.0.1") as browser:
            browser.post("/me/sign-in", data={"key": key})
            for _ in range(rounds):
                _try_once(browser, times)
    return _summed_up(times)


def _try_once(browser: Any, times: dict[str, list[float]]) -> None:
    begun = time.perf_counter()
    page = browser.get("/me/what-if").text
    times.setdefault("what if, all that can be tried", []).append(time.perf_counter() - begun)
    action = re.search(r'name="action" value="([^"]+)"', page)
    token = re.search(r'form_token" value="([0-9a-f]+)"', page)
    until = re.search(r'id="until" name="until" type="date" value="([0-9-]+)"', page)
    if action is None or token is None or until is None:
        raise RuntimeError("A member must have something to try, got a page without. Take another seed.")
    fields = {"form_token": token.group(1), "action": html.unescape(action.group(1)), "until": until.group(1)}
    by_htmx = {"HX-Request": "true", "HX-Target": "what-if-answer"}
    tried = {
        "what if, one action tried": fields,
        "what if, the least that reaches 800": {**fields, "act": "recourse", "mark": "800"},
    }
    for name, sent in tried.items():
        begun = time.perf_counter()
        answered = browser.post("/me/what-if", data=sent, headers=by_htmx)
        times.setdefault(name, []).append(time.perf_counter() - begun)
        if answered.status_code != 200:
            raise RuntimeError(f"A what-if must be answered, got status {answered.status_code}. See the page.")


if __name__ == "__main__":
    sys.exit(answer({"prepare": prepare, "ask": ask, "try_actions": try_actions}))
