"""What `benne train` does against gaming: nothing rewards spending, and cheap features give no more than a cap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import answer, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from benne.experiments.training import TrainingSplit
    from benne.models import CreditScoreModel

__all__ = ["CheapCap", "SpendingGuard", "guard_model", "tell_guards"]

CheapCap = Annotated[
    float | None,
    typer.Option(
        "--cheap-cap", min=0.0, metavar="POINTS",
        help="Most points that nine members in ten may win by cheap moves; found by fitting and attacking.",
    ),
]  # fmt: skip
SpendingGuard = Annotated[
    bool,
    typer.Option(
        "--spending-guard/--no-spending-guard",
        help="Keep features from rewarding whoever spends more on the platform; without it the gate on spending fails.",
    ),
]


def guard_model(
    model: CreditScoreModel, split: TrainingSplit, spending: bool, cap: float | None, seed: int,
    on_trial: Callable[[float], None],
) -> dict[str, Any]:  # fmt: skip
    """Give a model that is not fitted the booster options that the guards ask for; returns what was found.

    Only training rows are looked at.
    """
    from benne.experiments.gaming import guarded_against_spending, rewards_spending
    from benne.features import registry, split_mask
    from benne.models import BoosterOptions

    columns = [str(name) for name in split_mask(split.train.features)[0].columns]
    found: dict[str, Any] = {"spending_guard": [], "cheap_cap": None}
    if spending:
        model.set_params(booster=guarded_against_spending(model.booster or BoosterOptions(), columns, registry))
        found["spending_guard"] = [name for name in columns if name in registry and rewards_spending(registry[name])]
    if cap is not None:
        from benne.experiments.gaming.capping import cap_cheap

        capped = cap_cheap(split.train, model, cap, seed=seed, on_trial=on_trial)
        model.set_params(booster=capped.options)
        found["cheap_cap"] = {
            "cap": cap, "penalty": capped.penalty, "auc_lost": round(capped.price, 10), "features": list(capped.cheap),
            "trials": [{name: round(float(value), 10) for name, value in one.items()}
                       for one in capped.trials.to_dict("records")],
        }  # fmt: skip
    return found


def tell_guards(found: dict[str, Any]) -> None:
    """What the guards did, in words."""
    if muted := found["spending_guard"]:
        answer(f"{len(muted)} features that could reward spending on the platform say nothing: {', '.join(muted)}")
    if (capped := found["cheap_cap"]) is not None:
        won = capped["trials"][-1]["cheap_points"]
        answer(f"Cheap moves win nine members in ten at most {won:.1f} points, capped at {capped['cap']:g}, "
               f"for {-capped['auc_lost']:+.4f} AUC, on members held out of training:")  # fmt: skip
        table(
            ("gain of cheap features", "points won", "AUC"),
            [(f"{t['penalty']:g}", f"{t['cheap_points']:.1f}", f"{t['auc']:.4f}") for t in capped["trials"]],
        )
