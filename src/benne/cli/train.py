"""``benne train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import Steps, answer, answer_json, note, table
from benne.cli.edge import existing_ledger, key_from, quiet_mlflow
from benne.cli.options import KeyFile, Seed, WantJson

if TYPE_CHECKING:
    from benne.experiments.training import LabelledRows, TrainingRun

__all__ = ["shares_and_price", "train"]

_STEPS = ("read features and outcomes", "train and evaluate", "log to MLflow", "save the model")


def train(
    features: Annotated[Path, typer.Argument(help="Features built with --purpose model_training.")],
    outcomes: Annotated[Path, typer.Argument(help="Parquet: subject_id (or member_id and a key), as_of, bad.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the model; an earlier model in it is replaced.")],
    ledger: Annotated[
        str | None,
        typer.Option(
            "--ledger", envvar="BENNE_LEDGER", help="Consent ledger the features were built under: who withdrew since?"
        ),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="0: the weights hold exactly. 1: they are free.")
    ] = 0.0,
    tracking: Annotated[str, typer.Option(help="MLflow: a folder for a local store, or a tracking URI.")] = "mlflow",
    name: Annotated[str, typer.Option(help="Name of the run in MLflow.")] = "benne train",
    test_share: Annotated[float, typer.Option(min=0.05, max=0.95, help="Share of members to evaluate on.")] = 0.3,
    seed: Seed = 0,
    key_file: KeyFile = None,
    want_json: WantJson = False,
) -> None:
    """Train a score model whose categories carry their weights, evaluate it, and log everything to MLflow.

    Only members who consent to training are used; the ledger is asked again, and who has withdrawn since the features
    were built is left out. Whole members are held out for the evaluation.

    \b
    Example:
      benne train training_features.parquet world/outcomes.parquet --ledger consents.db --out model \\
        --tracking mlflow --key-file subject.key
    """
    quiet_mlflow()
    from benne.experiments.tracking import log_run, tracking_at
    from benne.experiments.training import label_rows, require_training_consent, still_consented, train_model
    from benne.features.frames import read_features, read_observations
    from benne.models import CreditScoreModel

    steps = Steps(_STEPS)
    with steps:
        steps.begin(0)
        file = require_training_consent(read_features(features))
        stands = still_consented(file, None if ledger is None else existing_ledger(ledger))
        rows = label_rows(file.features, read_observations(outcomes, key_from(key_file)), stands=stands)
        steps.begin(1)
        model = CreditScoreModel(tolerance=tolerance, random_state=seed)
        run = train_model(rows, model, test_share=test_share, seed=seed)
        steps.begin(2)
        store = tracking_at(tracking)
        tags = {} if file.provenance is None else file.provenance.as_tags()
        run_id = log_run(run, store, name=name, tags=tags)
        steps.begin(3)
        model.save(out)
    found = _facts(run, rows) | {"model": str(out), "mlflow_run": run_id, "tracking_uri": store.uri}
    if want_json:
        answer_json(found | {"seconds": steps.seconds})
        return
    _tell(found, run)
    note(f"Look at the run: mlflow ui --backend-store-uri {store.uri}")


def shares_and_price(shares: Any, price: Any) -> None:
    """Declared weights beside realised shares, and what they cost."""
    table(
        ("category", "declared", "realised", "out of fold"),
        [(c, f"{r['target']:.2%}", f"{r['reference']:.4%}", f"{r['out_of_fold']:.2%}") for c, r in shares.iterrows()],
    )
    answer()
    table(
        ("out of fold", "AUC", "KS", "Brier", "log loss"),
        [(m, *(f"{r[k]:.4f}" for k in ("auc", "ks", "brier", "log_loss"))) for m, r in price.iterrows()],
    )
    first = price.iloc[0]
    low, high = first["auc_price_low"], first["auc_price_high"]
    answer(
        f"Price of the weights in AUC, against unconstrained LightGBM: {first['auc_price']:+.4f} "
        f"({low:+.4f} to {high:+.4f})"
    )


def _facts(run: TrainingRun, rows: LabelledRows) -> dict[str, Any]:
    contract = run.model.contract_report_
    return {
        "trained_on": len(run.train.bad),
        "tested_on": run.evaluation.rows,
        "left_out": rows.left_out,
        "not_tested": run.test.left_out,
        "features": run.model.n_features_in_,
        "test": run.evaluation.metrics | {"bad_rate": run.evaluation.bad_rate},
        "largest_gap": run.evaluation.largest_gap,
        "weights": contract.shares["target"].to_dict(),
        "shares_reference": contract.shares["reference"].to_dict(),
        "price": contract.price.to_dict("index"),
    }


def _tell(found: dict[str, Any], run: TrainingRun) -> None:
    test = found["test"]
    answer(f"{found['model']}: {found['features']} features, trained on {found['trained_on']:,} rows")
    for reason, count in {**found["left_out"], **found["not_tested"]}.items():
        answer(f"  left out, {reason}: {count:,}")
    answer(f"On {found['tested_on']:,} rows of members not trained on: AUC {test['auc']:.4f} "
           f"({test['auc_low']:.4f} to {test['auc_high']:.4f}), KS {test['ks']:.4f}, "
           f"calibration error {test['ece']:.4f}, bad {test['bad_rate']:.2%}\n")  # fmt: skip
    shares_and_price(run.model.contract_report_.shares, run.model.contract_report_.price)
