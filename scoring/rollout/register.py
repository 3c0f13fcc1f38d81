"""The register of roll-outs: rows that are only ever added, each with its audit record, read by every instance."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, insert, select

from benne.errors import PromotionConflict, RolloutError
from benne.scoring.audit.record import AuditEntry
from benne.scoring.audit.unit_of_work import Work
from benne.scoring.decisions.promotion import Promotion, promoted
from benne.scoring.decisions.request import Actor
from benne.scoring.decisions.served_model import ServedModel
from benne.scoring.governance.on_chain import newest_says
from benne.scoring.monitoring.live_counts import LiveCounts
from benne.scoring.rollout.rollout import BASIS_POINTS, LEAST_COMPARED, Rollout, share_in_words
from benne.scoring.rollout.shadow_counts import COMPARED
from benne.scoring.store.governance_tables import model_rollouts

__all__ = ["Register", "newest_rollout", "reason_to_end", "require_on_record", "steps_of"]

_C: Final = model_rollouts.c
_COLUMNS: Final = [_C[name] for name in Rollout.__dataclass_fields__]
_NEWEST: Final = select(*_COLUMNS).order_by(_C.seq.desc()).limit(1)
_REASON: Final = re.compile(r"[a-z][a-z0-9_-]{0,50}")
_TOLD_BY: Final = 10
"""Small counts are not told, nor what a difference would give away."""

Admit = Callable[[Connection, str], object]
"""Takes the transaction and a model's config hash, and raises where nobody's verdict lets the model serve."""


def newest_rollout(connection: Connection) -> Rollout | None:
    """The last step of the last roll-out; None before the first."""
    row = connection.execute(_NEWEST).one_or_none()
    return None if row is None else Rollout(*row)


def steps_of(connection: Connection, rollout_id: str) -> list[Rollout]:
    """Every step of a roll-out, from its beginning."""
    rows = connection.execute(select(*_COLUMNS).where(_C.rollout_id == rollout_id).order_by(_C.seq))
    return [Rollout(*row) for row in rows]


def reason_to_end(rollout: Rollout, champion: Promotion | None) -> str | None:
    """Why a roll-out that stands is over all the same: another model was promoted since it began."""
    if not rollout.stands or champion is None or champion.seq == rollout.promotion_seq:
        return None
    return "challenger_promoted" if champion.model_id == rollout.model_id else "champion_changed"


@dataclass(frozen=True, slots=True)
class Register:
    """Units of work on the register, on whose behalf and under which version of the policies.

    Parameters
    ----------
    actor : Actor
    ids : callable returning str
    policy_version : str
    """

    actor: Actor
    ids: Callable[[], str]
    policy_version: str

    def begin(self, challenger: ServedModel, salt: str) -> Work[Rollout]:
        """A unit of work that puts a model on the shelf into the shadow.

        It raises :class:`benne.errors.RolloutError` where another roll-out is under way, no model serves, or the
        challenger is the champion.
        """

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Rollout]:
            newest, champion = newest_rollout(connection), promoted(connection)
            if champion is None:
                raise RolloutError("A challenger must have a champion to stand beside, got none. Promote one first.")
            if champion.model_id == challenger.model_id:
                raise RolloutError("A challenger must be another model than the champion, got the same. Name another.")
            entries = []
            if newest is not None and newest.stands:
                over = reason_to_end(newest, champion)
                if over is None:
                    raise RolloutError(
                        "One roll-out may be under way at a time, got a second. End the first: benne rollout end"
                    )
                newest = self._ended(newest, over, now_us)
                entries.append(self._add(connection, newest))
            new = Rollout(
                1 if newest is None else newest.seq + 1, self.ids(), "shadow", challenger.model_id,
                challenger.config_hash, 0, salt, champion.seq, None, now_us, self.actor.id,
            )  # fmt: skip
            return [*entries, self._add(connection, new)], new

        return work

    def stage(
        self, seen: Rollout, share_basis_points: int, admit: Admit, least_compared: int = LEAST_COMPARED
    ) -> Work[Rollout]:
        """A unit of work that lets the challenger serve a share of members, or a larger one.

        How many answers it was compared on in the shadow, and how many were asked for, is on record with the step.

        It raises :class:`benne.errors.PromotionConflict` where somebody changed the roll-out since it was ``seen``,
        :class:`benne.errors.RolloutError` where the share is no larger or none or the challenger was compared on fewer
        answers than ``least_compared``, and what ``admit`` raises where the challenger may not serve.
        """

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Rollout]:
            _require_newest(connection, seen)
            require_on_record(connection, seen)
            if reason_to_end(seen, promoted(connection)) is not None:
                raise PromotionConflict("The champion must be the one a roll-out began with, got another. Begin anew.")
            _require_larger(seen, share_basis_points)
            admit(connection, seen.config_hash)
            compared = LiveCounts.totals(connection, seen.rollout_id, [COMPARED]).get(COMPARED, 0)
            _require_compared(compared, least_compared)
            new = replace(
                seen, seq=seen.seq + 1, state="staged", share_basis_points=share_basis_points, changed_at_us=now_us,
                actor_id=self.actor.id, compared=_rounded_down(compared), least_compared=least_compared,
            )  # fmt: skip
            return [self._add(connection, new)], new

        return work

    def end(self, seen: Rollout, reason: str) -> Work[Rollout]:
        """A unit of work that ends a roll-out.

        It raises :class:`benne.errors.PromotionConflict` where somebody changed it since it was ``seen``, and
        :class:`benne.errors.RolloutError` where it has ended or the reason is more than a word.
        """
        if not _REASON.fullmatch(reason):
            raise RolloutError(
                "A reason must be one word of small letters, digits, - and _, such as too_many_move, got another. "
                "Shorten it."
            )

        def work(connection: Connection, now_us: int) -> tuple[list[AuditEntry], Rollout]:
            _require_newest(connection, seen)
            new = self._ended(seen, reason, now_us)
            return [self._add(connection, new)], new

        return work

    def _ended(self, rollout: Rollout, reason: str, now_us: int) -> Rollout:
        return replace(
            rollout, seq=rollout.seq + 1, state="ended", share_basis_points=0, reason=reason, changed_at_us=now_us,
            actor_id=self.actor.id, compared=None, least_compared=None,
        )  # fmt: skip

    def _add(self, connection: Connection, step: Rollout) -> AuditEntry:
        connection.execute(insert(model_rollouts), {name: getattr(step, name) for name in Rollout.__dataclass_fields__})
        return AuditEntry(
            event_id=self.ids(), type="rollout_changed", actor_id=self.actor.id, actor_role=self.actor.role,
            service="models", policy_version=self.policy_version, model_id=step.model_id,
            config_hash=step.config_hash, outcome=_outcome(step), about_event=step.rollout_id,
        )  # fmt: skip


def require_on_record(connection: Connection, step: Rollout) -> None:
    """Refuse a step that was written past the register.

    Raises
    ------
    PromotionConflict
        If the newest step in the audit chain is another.
    """
    said = newest_says(
        connection, ("rollout_changed",), model_id=step.model_id, config_hash=step.config_hash,
        about_event=step.rollout_id, outcome=_outcome(step), actor_id=step.actor_id,
    )  # fmt: skip
    if not said:
        raise PromotionConflict(
            "A roll-out must stand as the audit chain says, got another step of it. "
            "See what was changed: benne audit verify"
        )


def _outcome(step: Rollout) -> str:
    """A step in a word, for the audit chain."""
    staged = f"staged:{step.share_basis_points}"
    if step.compared is not None:  # of steps that were taken before this was counted the chain does not say it
        staged = f"{staged}:compared:{step.compared}:least:{step.least_compared}"
    told = {"shadow": "shadow", "staged": staged, "ended": f"ended:{step.reason}"}
    return told[step.state]


def _require_newest(connection: Connection, seen: Rollout) -> None:
    newest = newest_rollout(connection)
    if newest is None or newest.seq != seen.seq:
        raise PromotionConflict("A roll-out must be as it was looked up, got it changed by somebody else. Look again.")
    if not newest.stands:
        raise RolloutError("A roll-out must be under way, got one that has ended. Begin another: benne rollout shadow")


def _require_larger(seen: Rollout, share_basis_points: int) -> None:
    if not 0 <= share_basis_points <= BASIS_POINTS:
        raise RolloutError("A share must be 0 to 100 %, in hundredths of a per cent, got another. Name one.")
    if seen.state == "staged" and share_basis_points <= seen.share_basis_points:
        raise RolloutError(
            f"A share may only grow, so that members keep their model, got {share_in_words(share_basis_points)} after "
            f"{share_in_words(seen.share_basis_points)}. End the roll-out to take everybody back."
        )


def _require_compared(compared: int, least: int) -> None:
    if least < 0:
        raise RolloutError("The least number of compared answers must be 0 or more, got less. Name another.")
    if compared < least:
        told = f"some {_rounded_down(compared):,}" if compared >= _TOLD_BY else f"fewer than {_TOLD_BY}"
        raise RolloutError(
            f"A challenger must have been compared on {least:,} answers in the shadow before it serves anybody, got "
            f"{told}. Leave it there until there are more, or ask for fewer: --least-compared"
        )


def _rounded_down(count: int) -> int:
    return count // _TOLD_BY * _TOLD_BY
