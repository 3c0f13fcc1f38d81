"""On whose word features are computed: a ledger asked for a purpose and a recipient, or a stated reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from benne.cli.edge import existing_ledger
from benne.cli.options import PurposeName

if TYPE_CHECKING:
    from benne.features import ConsentMask

__all__ = ["mask_from"]


def mask_from(
    ledger: str | None, purpose: PurposeName | None, recipient: str | None, all_granted: str | None
) -> ConsentMask:
    """The mask that --ledger, --purpose and --recipient name, or --all-granted."""
    from benne.features import ConsentMask

    if all_granted is not None:
        if purpose is not None or recipient is not None:
            raise typer.BadParameter("give --all-granted, or --ledger with --purpose and --recipient, not both.")
        return ConsentMask.all_granted(reason=all_granted)
    if ledger is None or purpose is None or recipient is None:
        raise typer.BadParameter("say who consented: --ledger, --purpose and --recipient; or --all-granted REASON.")
    return existing_ledger(ledger).mask(purpose=purpose.value, recipient=recipient, include_ended=False)
