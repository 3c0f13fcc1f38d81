"""Who may ask: recipients, keys of access and tokens. Knows no web framework."""

from __future__ import annotations

from benne.scoring.access.administration import Administration
from benne.scoring.access.api_keys import ApiKey, ApiKeys, NewApiKey
from benne.scoring.access.authenticator import Authenticator
from benne.scoring.access.key_sources import JwksFile, JwksSource, JwksUrl
from benne.scoring.access.principal import Principal, Role
from benne.scoring.access.recipients import Recipient
from benne.scoring.access.token_keys import KeyTimes, TokenKeys
from benne.scoring.access.tokens import ClaimNames, TokenRules, TokenVerifier

__all__ = [
    "Administration",
    "ApiKey",
    "ApiKeys",
    "Authenticator",
    "ClaimNames",
    "JwksFile",
    "JwksSource",
    "JwksUrl",
    "KeyTimes",
    "NewApiKey",
    "Principal",
    "Recipient",
    "Role",
    "TokenKeys",
    "TokenRules",
    "TokenVerifier",
]
