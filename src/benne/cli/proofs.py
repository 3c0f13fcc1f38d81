"""``benne proofs``: the keys that sign members' proofs, and whether a proof holds."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benne.cli.console import answer, answer_json, note
from benne.cli.options import WantJson

if TYPE_CHECKING:
    from benne.scoring.proof import Proof

__all__ = ["app"]

app = typer.Typer(help="Members' proofs: their keys, and whether one holds.", no_args_is_help=True,
                  rich_markup_mode=None)  # fmt: skip
keys = typer.Typer(help="The keys that sign proofs.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(keys, name="keys")

KeysFile = Annotated[Path, typer.Argument(help="File of the private keys.")]


@app.command()
def verify(
    proof: Annotated[str, typer.Argument(help="The proof; - reads it from stdin.")],
    jwks: Annotated[Path, typer.Option("--jwks", help="The issuer's public keys, got from the issuer.")],
    audience: Annotated[str, typer.Option("--audience", help="Your own name, as you gave it to the member.")],
    nonce: Annotated[str, typer.Option("--nonce", help="What you drew for this occasion.")],
    issuer: Annotated[str | None, typer.Option("--issuer", help="Whose proof it must be.")] = None,
    want_json: WantJson = False,
) -> None:
    """Check a proof, offline, and say what it states. One that must not be relied on ends with exit code 6.

    Shown twice, a proof passes twice here: keep the ids of those you accepted, until they end.

    \b
    Example:
      benne proofs verify - --jwks scores.example.jwks --audience https://landlord.example --nonce R4nD0m-0f-M1ne-1
    """
    from benne.scoring.proof import verify as verify_proof
    from benne.scoring.signing import read_public_keys
    from benne.scoring.wiring import system_clock

    given = sys.stdin.read().strip() if proof == "-" else proof
    held = verify_proof(
        given, read_public_keys(jwks), audience=audience, nonce=nonce, now=system_clock(), issuer=issuer
    )
    if want_json:
        answer_json(_as_dict(held))
        return
    answer(f"It holds. {_sentence(held)}")
    answer(f"Issued by {held.issuer} for {held.audience}, until {held.expires_at:%Y-%m-%d %H:%M:%S} UTC.")
    if held.purpose is not None:
        answer(f"For {held.purpose}, and nothing else.")
    note(f"Accept it once: keep {held.jti} until then.")
    if held.holder_key is not None:
        note("It is bound to a key: have whoever shows it sign a challenge with that.")


@keys.command()
def new(path: KeysFile, want_json: WantJson = False) -> None:
    """Draw the first key and write it to a new file that only you can read.

    \b
    Example:
      benne proofs keys new proofs.keys
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from benne.scoring.proof import ProofKeyFile
    from benne.scoring.wiring import system_clock

    now = system_clock()
    kid = ProofKeyFile(path).create(Ed25519PrivateKey.generate(), now).signer(now).kid
    if want_json:
        answer_json({"path": str(path), "kid": kid})
        return
    answer(f"{path}: a new key, {kid}")
    note(f"Publish its public half: benne proofs keys public {path}")


@keys.command()
def rotate(
    path: KeysFile,
    ahead_minutes: Annotated[
        int,
        typer.Option(
            "--ahead-minutes", min=0, max=10_080, help="When it begins to sign: as long as recipients keep public keys."
        ),
    ] = 60,
    want_json: WantJson = False,
) -> None:
    """Draw the next key. It is public at once and signs later; the one before stays public until its proofs are over.

    \b
    Example:
      benne proofs keys rotate proofs.keys --ahead-minutes 60
    """  # fmt: skip
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from benne.scoring.proof import ProofKeyFile
    from benne.scoring.wiring import system_clock

    file, now = ProofKeyFile(path), system_clock()
    newest = file.rotate(Ed25519PrivateKey.generate(), now, ahead=timedelta(minutes=ahead_minutes)).keys[-1]
    if want_json:
        answer_json({"path": str(path), "kid": newest.signer.kid, "active_from": newest.active_from})
        return
    answer(f"{path}: the next key, {newest.signer.kid}, signs in {ahead_minutes} minutes")
    note("A running service sees it by itself.")


@keys.command()
def public(path: KeysFile) -> None:
    """Write the public keys as a JWK set to stdout: what recipients verify with.

    \b
    Example:
      benne proofs keys public proofs.keys > scores.example.jwks
    """
    from benne.scoring.proof import ProofKeyFile
    from benne.scoring.wiring import system_clock

    answer_json(ProofKeyFile(path).keys().public(system_clock()))


def _sentence(proof: Proof) -> str:
    stated, day = proof.statement, f"on {proof.statement.as_of:%Y-%m-%d}"
    if stated.band is not None:
        return f"The score was {stated.band.name} ({stated.band.lowest} to {stated.band.highest}) {day}."
    if stated.kind == "exact":
        return f"The score was {stated.score} {day}."
    return f"The score was {'at least' if stated.kind == 'at_least' else 'below'} {stated.mark} {day}."


def _as_dict(proof: Proof) -> dict[str, Any]:
    told = {name: getattr(proof, name) for name in type(proof).__dataclass_fields__}
    return {**told, "statement": proof.statement.as_claim()}
