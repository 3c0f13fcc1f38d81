"""The transcript of docs/service-transcript.md, typed again: same commands, a real service, the same answers."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from benne.cli import app
from benne.experiments.simulator import simulate
from benne.experiments.training import label_rows, train_model
from benne.features import ConsentMask, build_features, ingest
from benne.features.engines.event_store import EventStore
from benne.features.events.key_files import write_key_file
from benne.features.frames import key_member_ids
from benne.models import BoosterOptions, CreditScoreModel
from benne.scoring.api.app import create_app
from benne.scoring.service_wiring import open_service
from benne.scoring.settings import read_settings
from benne.scoring.wiring import system_clock
from tests.scoring.validated import verdicts_for

PORT = 8350  # on the page
BLOCK = re.compile(r"^```console transcript\n(.*?)^```", re.M | re.S)
MARK = "-- transcript: command {} --"
HERE, PYTHON = Path(__file__).parent, sys.executable

VARYING = (
    (r"benne_[0-9a-f]{16}_[0-9a-f]{64}", "KEY"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID"),
    (r"\bbenne/[0-9a-f]{16}\b", "MODEL"),
    (r"\b[0-9a-f]{16,64}\b", "HASH"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", "TIME"),
    (r"[-+]?\d+\.\d+(e-\d+)?", "NUMBER"),
    (r'"(very poor|poor|fair|good|very good|excellent|exceptional)"', "BAND"),
)


class Typed(NamedTuple):
    """A command of the transcript, and what it printed."""

    command: str
    output: str


def transcript(page: Path) -> list[Typed]:
    """Commands follow ``$``, their further lines follow ``>``, and the rest is what they print."""
    found: list[Typed] = []
    for block in BLOCK.findall(page.read_text("utf-8")):
        for line in block.splitlines(keepends=True):
            if line.startswith("$ "):
                found.append(Typed(line[2:], ""))
            elif line.startswith("> ") and not found[-1].output:
                found[-1] = Typed(found[-1].command + line[2:], "")
            else:
                found[-1] = Typed(found[-1].command, found[-1].output + line)
    return found


def typed_again(commands: list[str], folder: Path, port: int, programs: str) -> list[Typed]:
    """What the commands print in one shell, errors included, in the order of the page."""
    lines = ["exec 2>&1"]
    for number, command in enumerate(commands):
        lines += [f"echo; echo '{MARK.format(number)}'", command.replace(str(PORT), str(port))]
    env = {name: value for name, value in os.environ.items() if not name.startswith("BENNE_") or name == "BENNE_CACHE"}
    shell = subprocess.Popen(
        ["bash", "-c", "\n".join(lines)], cwd=folder, stdout=subprocess.PIPE, text=True, start_new_session=True,
        env=env | {"PATH": f"{programs}:{env['PATH']}", "BENNE_PORT": str(port)},
    )  # fmt: skip
    try:
        printed, _ = shell.communicate(timeout=400)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
    parts = re.split(r"\n?" + re.escape(MARK).replace(r"\{\}", r"\d+") + r"\n", printed)
    outputs = [part.replace(str(port), str(PORT)) for part in parts[1:]]
    return [Typed(command, output) for command, output in zip(commands, outputs, strict=True)]


def without_what_varies(text: str) -> str:
    for pattern, word in VARYING:
        text = re.sub(pattern, word, text)
    return text.strip()


def free_port() -> int:
    with contextlib.closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the commands before the transcript leave, smaller."""
    folder = tmp_path_factory.mktemp("platform")
    world = simulate(folder / "world", members=600, seed=0)
    key = write_key_file(folder / "subject.key", bytes(range(32)))
    events = ingest(world.raw, folder / "events", key=key, ingested_at=world.extracted_at.to_pydatetime())
    EventStore.create(folder / "events.db", events, watermark=system_clock()).close()
    observed, outcomes = (key_member_ids(frame, key) for frame in (world.observations(), world.outcomes()))
    features = build_features(events, observed, consents=ConsentMask.all_granted(reason="a test of the documents"))
    quick = BoosterOptions(max_trees=20, learning_rate=0.3, patience=5, folds=2, threads=1)
    train_model(label_rows(features, outcomes), CreditScoreModel(booster=quick)).model.save(folder / "model")
    verdicts_for(folder / "governance.db", folder / "model")
    return folder


@pytest.fixture
def a_copy(platform: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(platform, tmp_path / "platform"))


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of programs in front of the others: this Python and, where there is no curl, one that stands in."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / "python3").symlink_to(PYTHON)
    if shutil.which("curl") is None:
        put(folder / "curl", PYTHON, HERE / "curl_stand_in.py")
    return folder


@pytest.fixture
def preloaded(programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """``benne`` in front of the other programs, without the seconds that loading takes each command."""
    address = tmp_path_factory.mktemp("at") / "benne"  # the name of a socket must be short
    server = subprocess.Popen([PYTHON, HERE / "preloaded_benne.py", "serve", address], start_new_session=True)
    put(programs / "benne", PYTHON, "-I", "-S", HERE / "preloaded_benne.py", "ask", address)
    deadline = time.monotonic() + 60
    while not address.exists() and server.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    yield
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def put(program: Path, *words: object) -> None:
    program.write_text(f'#!/bin/sh\nexec {" ".join(map(str, words))} "$@"\n', encoding="utf-8")
    program.chmod(0o755)


def compare(page: Path, folder: Path, programs: Path) -> None:
    shown = transcript(page)
    again = typed_again([one.command for one in shown], folder, free_port(), str(programs))
    for was, now in zip(shown, again, strict=True):
        assert without_what_varies(now.output) == without_what_varies(was.output), was.command


@pytest.mark.usefixtures("preloaded")
def test_the_transcript_is_what_happens(repository, a_copy, programs):
    compare(repository / "docs" / "service-transcript.md", a_copy, programs)


@pytest.mark.slow
def test_the_transcript_is_what_happens_with_the_command_itself_and_without_curl(repository, a_copy, programs):
    (programs / "benne").symlink_to(Path(PYTHON).with_name("benne"))
    put(programs / "curl", PYTHON, HERE / "curl_stand_in.py")
    compare(repository / "docs" / "service-transcript.md", a_copy, programs)


def printed_requests(text: str) -> Iterator[tuple[str, str, dict[str, str], str | None]]:
    """Method, path, headers and body of each curl command."""
    for command in re.findall(r"^curl (?:.*\\\n)*.*$", text, re.M):
        words = shlex.split(command.replace("\\\n", " "))[1:]
        options = {"-X": [], "-H": [], "-d": []}
        url = next(word for word in words if word.startswith("http"))
        for option, value in itertools.pairwise(words):
            if option in options:
                options[option].append(value)
        body = next(iter(options["-d"]), None)
        method = next(iter(options["-X"]), "GET" if body is None else "POST")
        yield method, url.split(":8350", 1)[1], dict(one.split(": ", 1) for one in options["-H"]), body


@pytest.mark.slow
def test_a_service_to_try_answers_the_three_requests_it_prints_and_survives_a_second_run(platform, tmp_path):
    home = tmp_path / "service"
    command = ["service", "demo", str(home), "--model", str(platform / "model"), "--members", "200"]
    command += ["--validated-in", str(platform / "governance.db")]
    members = []
    for _ in range(2):
        said = CliRunner().invoke(app, command)
        assert said.exit_code == 0, said.stderr
        (score, told, withdraw) = printed_requests(said.stdout)
        with TestClient(create_app(open_service(read_settings(home)))) as client:
            answers = [
                client.request(method, path, headers=headers, content=body)
                for method, path, headers, body in (score, told, withdraw, score)
            ]
            bare = client.post(score[1], headers={"Authorization": score[2]["Authorization"]}, content=score[3])
        assert bare.json()["detail"].startswith("The body must be a JSON object, sent as application/json.")
        assert [answer.status_code for answer in answers] == [200, 200, 200, 403], answers[0].text
        assert answers[1].json()["decision_id"] == answers[0].json()["decision_id"]
        assert answers[3].json()["type"] == "/problems/consent-withdrawn"
        members.append(json.loads(score[3])["member_id"])
    assert members[0] != members[1]


def test_a_service_to_try_is_not_laid_out_over_something_else(platform, tmp_path):
    (tmp_path / "mine").mkdir()
    said = CliRunner().invoke(app, ["service", "demo", str(tmp_path / "mine"), "--model", str(platform / "model")])
    assert said.exit_code == 3
    assert "must be new, or one that this command laid out" in said.stderr


def test_what_varies_is_left_out_and_nothing_else():
    one = '{"decision_id":"6234fd24-204c-484c-8f95-f7d9d01eca3d","band":"fair","score":567.96,"status":403}'
    assert without_what_varies(one) == '{"decision_id":"ID","band":BAND,"score":NUMBER,"status":403}'
    assert without_what_varies("All 30 records verify") == "All 30 records verify"
