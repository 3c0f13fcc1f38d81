"""Roll-outs of a running service: following the register, and changing it."""

from __future__ import annotations

import contextlib
import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from benne.errors import GovernanceError, PromotionConflict, RolloutError
from benne.scoring.audit.group_commit import GroupCommit
from benne.scoring.decisions.promotion import promoted
from benne.scoring.decisions.request import Actor
from benne.scoring.decisions.served_model import ModelShelf, ModelSlot, ServedModel
from benne.scoring.monitoring.live_counts import LiveCounts
from benne.scoring.rollout.fitting import require_fit
from benne.scoring.rollout.register import Admit, Register, newest_rollout, reason_to_end, require_on_record
from benne.scoring.rollout.rollout import LEAST_COMPARED, Rollout
from benne.scoring.rollout.shadow import Shadow, Watched
from benne.scoring.rollout.staged import StagedChallenger
from benne.scoring.store.database import Store

__all__ = ["RolloutParts", "Rollouts", "follow_at_the_start"]

_log = logging.getLogger(__name__)

_SALT_BYTES: Final = 16
_BY_ITSELF: Final = Actor("rollouts", "system")


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutParts:
    """What roll-outs are made with.

    Parameters
    ----------
    store : Store
    group : GroupCommit
        On the same store.
    models : ModelSlot
    shelf : ModelShelf
    computed : mapping of str to str
        Category of each feature that is computed live; empty where features are loaded.
    policy_version : str
    clock : callable returning datetime
    ids : callable returning str
    admit : callable
        Takes a connection and a model's config hash, and raises ``NotValidated`` where the model may not serve.
    random_bytes : callable
        Takes a number and gives as many bytes that nobody can guess.
    """

    store: Store
    group: GroupCommit
    models: ModelSlot
    shelf: ModelShelf
    computed: Mapping[str, str]
    policy_version: str
    clock: Callable[[], datetime]
    ids: Callable[[], str]
    admit: Admit
    random_bytes: Callable[[int], bytes] = field(default=secrets.token_bytes)


class Rollouts:
    """Puts a challenger into the shadow, lets it serve a share of members, and ends that; every instance follows.

    Parameters
    ----------
    parts : RolloutParts
    """

    def __init__(self, parts: RolloutParts) -> None:
        self._parts = parts
        self.counts = LiveCounts(parts.store, parts.clock)
        self.shadow = Shadow(self.counts)
        self._followed: Rollout | None = None
        self._staged: StagedChallenger | None = None

    def begin(self, challenger: ServedModel, actor: Actor) -> Rollout:
        """Put a model of the shelf into the shadow.

        Raises
        ------
        RolloutError
            If another roll-out is under way, or the model does not fit beside the champion.
        """
        with self._parts.store.read() as connection:
            champion = promoted(connection)
        if champion is not None:
            standing = self._parts.shelf.get(champion.model_id, champion.config_hash)
            require_fit(challenger, standing, self._parts.computed)
        salt = self._parts.random_bytes(_SALT_BYTES).hex()
        return self._parts.group.submit(self._register(actor).begin(challenger, salt)).result

    def stage(self, share_basis_points: int, actor: Actor, *, least_compared: int = LEAST_COMPARED) -> Rollout:
        """Let the challenger serve a share of members, or a larger one than so far.

        Parameters
        ----------
        share_basis_points : int
            Hundredths of a per cent.
        actor : Actor
        least_compared : int, default=100
            Answers on which the challenger must have been compared in the shadow, as far as instances have written
            their counts: within five seconds. 0 lets one through that was compared on none. It is on record.

        Raises
        ------
        NotValidated
            If nobody's verdict lets the challenger serve.
        RolloutError
            If no roll-out is under way, the share is none or no larger, or too few answers were compared.
        PromotionConflict
            If somebody else changed the roll-out or the champion meanwhile.
        """
        self.counts.flush()  # of this process nothing need wait
        register = self._register(actor)
        work = register.stage(self._under_way(), share_basis_points, self._parts.admit, least_compared)
        return self._parts.group.submit(work).result

    def end(self, reason: str, actor: Actor) -> Rollout:
        """End the roll-out: the champion serves everybody.

        Raises
        ------
        RolloutError
            If none is under way, or the reason is more than a word.
        PromotionConflict
            If somebody else changed it meanwhile.
        """
        return self._parts.group.submit(self._register(actor).end(self._under_way(), reason)).result

    def follow(self) -> bool:
        """Do as the register says; whether anything changed here.

        A roll-out that is over, because another model was promoted or its challenger keeps failing, is put on record
        as ended by whichever instance sees it first.

        Raises
        ------
        BenneError
            If the store does not answer, the challenger cannot be loaded, or no verdict lets it serve; the champion
            goes on.
        """
        with self._parts.store.read() as connection:
            newest, champion = newest_rollout(connection), promoted(connection)
            refusal = self._refusal(connection, newest)
        if newest is None or not newest.stands or champion is None:
            return self._stop()
        reason = reason_to_end(newest, champion) or self._given_up(newest)
        if reason is not None:
            self._stop()
            self._end_by_itself(newest, reason)
            return True
        if champion.config_hash != self._parts.models.current.config_hash:
            return self._stop()  # the champion itself is still being loaded
        if refusal is not None:
            self._stop()
            raise refusal
        if self._followed is not None and newest.seq == self._followed.seq:
            return False
        self._take_up(newest)
        return True

    def close(self) -> None:
        """Count what waits, and end."""
        self.shadow.close()

    def _register(self, actor: Actor) -> Register:
        return Register(actor, self._parts.ids, self._parts.policy_version)

    def _under_way(self) -> Rollout:
        with self._parts.store.read() as connection:
            newest = newest_rollout(connection)
        if newest is None or not newest.stands:
            raise RolloutError("A roll-out must be under way, got none. Begin one: benne rollout shadow")
        return newest

    def _take_up(self, rollout: Rollout) -> None:
        models = self._parts.models
        try:
            challenger = self._parts.shelf.get(rollout.model_id, rollout.config_hash)
            require_fit(challenger, models.current, self._parts.computed)
        except Exception:
            self._stop()
            raise
        with contextlib.suppress(Exception):  # one that fails here will fail at answers too, and there it is counted
            challenger.warm()
        self.shadow.watch(Watched(rollout.rollout_id, challenger, models.current.model_id))
        self._staged = StagedChallenger(rollout, challenger, self.counts, self._failures_of(rollout))
        models.stage(self._staged if rollout.state == "staged" else None)
        self._followed = rollout

    def _refusal(self, connection: Connection, newest: Rollout | None) -> GovernanceError | None:
        """Why the challenger may serve nobody, asked every time: another verdict may have come, or a row past the
        register."""
        if newest is None or newest.state != "staged":
            return None
        try:
            self._parts.admit(connection, newest.config_hash)
            require_on_record(connection, newest)
        except GovernanceError as error:
            return error
        return None

    def _failures_of(self, rollout: Rollout) -> int:
        before = self._staged
        return before.failures if before is not None and before.rollout.rollout_id == rollout.rollout_id else 0

    def _given_up(self, rollout: Rollout) -> str | None:
        staged = self._staged
        if staged is None or staged.rollout.rollout_id != rollout.rollout_id or not staged.exhausted:
            return None
        return "challenger_failed"

    def _end_by_itself(self, rollout: Rollout, reason: str) -> None:
        try:
            self._parts.group.submit(self._register(_BY_ITSELF).end(rollout, reason))
        except PromotionConflict:
            return  # another instance was first
        _log.warning("the roll-out ended: %s", reason)

    def _stop(self) -> bool:
        """Take everybody back to the champion."""
        if self._followed is None:
            return False
        self._parts.models.stage(None)
        self.shadow.watch(None)
        self._followed = None
        return True


def follow_at_the_start(rollouts: Rollouts) -> None:
    """Follow before the first question is answered; one that cannot be loaded keeps no service from serving."""
    try:
        rollouts.follow()
    except Exception as error:  # noqa: BLE001 - housekeeping tries again, and says what is wrong
        _log.error("the challenger does not stand beside the champion: %s", type(error).__name__)
