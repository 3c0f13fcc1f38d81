"""What two institutions agreed on before the first package, and whether a package keeps to it."""

from __future__ import annotations

from dataclasses import dataclass

from benne.features.events.interchange.findings import Findings
from benne.features.events.interchange.manifest import MANIFEST_NAME, Manifest
from benne.features.events.keys import SubjectKey

__all__ = ["Agreement"]


@dataclass(frozen=True)
class Agreement:
    """What the recipient expects of a sender's packages.

    Parameters
    ----------
    institution_id : str
        The sender that the exchange key was agreed with; another one may hold another key and
        still claim this name.
    recipient_id : str
        The recipient's own id.
    currency : str
        ISO 4217 code of the recipient's amounts.
    identifier : str
        Name of the identifier that is keyed.
    exchange_key : SubjectKey
        Held by these two institutions and nobody else.
    """

    institution_id: str
    recipient_id: str
    currency: str
    identifier: str
    exchange_key: SubjectKey

    def check(self, manifest: Manifest, findings: Findings) -> None:
        """Note where a manifest is not as agreed."""
        agreed = {
            "institution.id": (manifest.terms.institution_id, self.institution_id),
            "recipient.id": (manifest.terms.recipient_id, self.recipient_id),
            "currency": (manifest.terms.currency, self.currency),
            "member_ids.identifier": (manifest.terms.identifier, self.identifier),
        }
        for name, (found, expected) in agreed.items():
            if found != expected:
                findings.form(f"{MANIFEST_NAME} {name} must be {expected}, as agreed")
