"""A proof counts once: its id is kept until it cannot be shown any more."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from benne.errors import ProofRejected
from benne.scoring.proof import SeenProofs

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


def test_a_proof_that_is_shown_again_is_refused_for_as_long_as_it_verifies(desk):
    seen, token = SeenProofs(most=1), desk.issue()
    seen.accept(desk.verify(token), desk.now)
    for later in (timedelta(0), MINUTE, 5 * MINUTE + 29 * SECOND):
        with pytest.raises(ProofRejected, match="must be shown once, got it again"):
            seen.accept(desk.verify(token, later), desk.now + later)


def test_another_proof_of_the_same_member_counts(desk):
    seen = SeenProofs()
    for _ in range(3):
        seen.accept(desk.verify(desk.issue()), desk.now)
    assert len(seen) == 3


def test_the_same_id_of_another_issuer_is_another_proof(desk):
    seen, proof = SeenProofs(), desk.verify(desk.issue())
    seen.accept(proof, desk.now)
    seen.accept(replace(proof, issuer="https://other.example"), desk.now)
    assert len(seen) == 2


def test_no_proof_is_forgotten_while_it_could_be_shown_again_and_further_ones_are_refused(desk):
    seen = SeenProofs(most=2)
    for _ in range(2):
        seen.accept(desk.verify(desk.issue()), desk.now)
    with pytest.raises(ProofRejected, match="At most 2 proofs may hold at a time"):
        seen.accept(desk.verify(desk.issue()), desk.now + 5 * MINUTE + 29 * SECOND)
    seen.accept(desk.verify(desk.issue()), desk.now + 5 * MINUTE + 30 * SECOND)
    assert len(seen) == 1


def test_of_many_threads_that_show_one_proof_one_is_let_through(desk):
    seen, proof = SeenProofs(), desk.verify(desk.issue())
    begin, accepted = threading.Barrier(8), []

    def show():
        begin.wait()
        try:
            seen.accept(proof, desk.now)
        except ProofRejected:
            return
        accepted.append(proof)

    threads = [threading.Thread(target=show) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(accepted) == 1
