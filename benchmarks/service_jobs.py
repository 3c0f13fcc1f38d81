"""What the benchmark of the service does in processes of its own: prepare, send requests, look over the records."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import socket
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from measuring import answer
from model_world import named, rows_of
from validated import verdict_on

_COLUMNS, _TREES, _LEARNED_FROM = 60, 600, 30_000
_RECIPIENT, _PURPOSE = "shop", "lending"
_CHUNK: Final = 1_000


def prepare(folder: str, members: int) -> dict[str, Any]:
    """A model, a service's folder with consenting members and their features, and the model as MLflow serves it."""
    from benne.models import BoosterOptions, CreditScoreModel
    from benne.scoring.consent.terms_file import TermsDraft, write_terms
    from benne.scoring.laying_out import lay_out
    from benne.scoring.service_wiring import opened_service
    from benne.scoring.settings import read_settings

    home = Path(folder)
    X, y = rows_of(_LEARNED_FROM, _COLUMNS)
    frame, categories = named(X)
    options = BoosterOptions(max_trees=_TREES, patience=_TREES, folds=2)
    model = CreditScoreModel(categories=categories, booster=options, unconstrained_price=False).fit(frame, y)
    model.save(home / "model")
    _for_mlflow(home, frame.columns.tolist())
    write_terms(home / "lending.toml", TermsDraft(_PURPOSE, _RECIPIENT, "Example Ltd", granularity="exact"))
    verdict = verdict_on(home / "model", model.explain(frame.iloc[:1_000]).largest_gap, home / "verdict.db")
    lay_out(home / "service", home / "model", validated_in=verdict, terms=home / "lending.toml")
    with opened_service(read_settings(home / "service")) as service:
        key = _recipient(service)
        _know(service, frame.iloc[:members])
    np.save(home / "rows.npy", X[:members])
    (home / "columns.json").write_text(json.dumps(frame.columns.tolist()), encoding="utf-8")
    return {"features": _COLUMNS, "trees": int(model.booster_.num_trees()), "key": key,
            "ports": {"Benne": _free_port(), "MLflow": _free_port()}}  # fmt: skip


def _for_mlflow(home: Path, columns: list[str]) -> None:
    import mlflow

    mlflow.pyfunc.save_model(
        home / "mlflow", loader_module="mlflow_bare", data_path=str(home / "model"), pip_requirements=[],
        metadata={"columns": columns},
    )  # fmt: skip


def _recipient(service: Any) -> str:
    from benne.scoring.access.administration import Administration
    from benne.scoring.access.api_keys import ApiKeys
    from benne.scoring.access.principal import Principal

    administration = Administration(Principal(id="bench", role="admin"), service.ids, service.policies.version)
    service.group.submit(administration.register(_RECIPIENT, contact="dpo@example.test", purposes=[_PURPOSE]))
    made = service.group.submit(administration.new_key(ApiKeys(secrets.token_bytes), "recipient", recipient=_RECIPIENT))
    return str(made.result.text)


def _know(service: Any, rows: Any) -> None:
    """Everybody consents to everything, and their features are on hand."""
    from benne.features.categories import CATEGORIES
    from benne.features.engines.online import FeatureVector
    from benne.scoring import Capture, ConsentRequest

    terms = service.terms["lending"].terms
    capture = Capture(channel="app", method="toggle_switched_on", steps=1, session_hash="ab" * 32)
    subjects = [service.subject_of(f"m{k}") for k in range(len(rows))]
    service.ledger.grant_many(
        ConsentRequest(subject_id=one, terms=terms, capture=capture, categories=CATEGORIES) for one in subjects
    )
    now, names, values = datetime.now(UTC), tuple(rows.columns), rows.to_numpy()
    vectors = [
        FeatureVector(one, now, names, values[k], dict.fromkeys(CATEGORIES, True)) for k, one in enumerate(subjects)
    ]
    for start in range(0, len(vectors), _CHUNK):
        with service.store.write() as connection:
            service.vectors.keep(
                connection, vectors[start : start + _CHUNK], purpose=_PURPOSE, recipient=_RECIPIENT,
                now_us=int(now.timestamp() * 1e6),
            )  # fmt: skip


def _free_port() -> int:
    with closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def load(name: str, port: int, folder: str, connections: int, seconds: int, key: str, members: int) -> dict[str, Any]:
    """Send requests over some connections for some seconds, from the last processor."""
    import uvloop

    if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {(os.cpu_count() or 1) - 1})
    requests = _to_us(key, members) if name == "Benne" else _to_mlflow(Path(folder), members)
    times, others = uvloop.run(_send(port, requests, connections, seconds))
    if others:
        raise RuntimeError(f"{name} must answer with scores, got {others[0]!r} and {len(others) - 1} more like it.")
    milliseconds = np.array(times) * 1_000
    return {
        "rate": len(times) / seconds,
        "p50": float(np.percentile(milliseconds, 50)),
        "p99": float(np.percentile(milliseconds, 99)),
    }


def _to_us(key: str, members: int) -> list[bytes]:
    headers = {"Authorization": f"Bearer {key}"}
    asked = {"purpose": _PURPOSE, "granularity": "exact"}
    return [_post("/v1/scores", {"member_id": f"m{k}", **asked}, headers) for k in range(members)]


def _to_mlflow(folder: Path, members: int) -> list[bytes]:
    columns = json.loads((folder / "columns.json").read_text(encoding="utf-8"))
    rows = np.load(folder / "rows.npy")
    return [
        _post("/invocations", {"dataframe_split": {"columns": columns, "data": [_plain(rows[k])]}}, {})
        for k in range(members)
    ]


def _plain(row: Any) -> list[float | None]:
    return [None if value != value else float(value) for value in row]


def _post(path: str, body: dict[str, Any], headers: dict[str, str]) -> bytes:
    content = json.dumps(body).encode()
    lines = {"Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": str(len(content)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + content


async def _send(port: int, requests: list[bytes], connections: int, seconds: int) -> tuple[list[float], list[bytes]]:
    times: list[float] = []
    others: list[bytes] = []
    until = time.perf_counter() + seconds

    async def ask(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        place = first
        while (begun := time.perf_counter()) < until:
            writer.write(requests[place % len(requests)])
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(_length(head))
            times.append(time.perf_counter() - begun)
            if head[9:12] != b"200":
                others.append(body)
            place += connections
        writer.close()

    await asyncio.gather(*(ask(k) for k in range(connections)))
    return times, others


def _length(head: bytes) -> int:
    lines = (line.partition(b":") for line in head.split(b"\r\n"))
    return next(int(value) for name, _, value in lines if name.lower() == b"content-length")


def look_over(folder: str) -> dict[str, Any]:
    """Whether everything that was answered is on record, and the chain holds."""
    from benne.scoring import open_store
    from benne.scoring.audit.chain import verify

    store = open_store(Path(folder, "service", "benne.db"), migrate=False)
    with store.read() as connection:
        report = verify(connection)
        counted = "SELECT count(*) FROM audit_records WHERE type = 'score_decided' AND decision = 'granted'"
        answered = connection.exec_driver_sql(counted).scalar_one()
        payloads = connection.exec_driver_sql(
            "SELECT count(*) FROM member_payloads WHERE kind = 'decision'"
        ).scalar_one()
    store.close()
    return {"intact": report.intact, "records": report.records, "answered": answered, "payloads": payloads}


if __name__ == "__main__":
    sys.exit(answer({"prepare": prepare, "load": load, "look_over": look_over}))
