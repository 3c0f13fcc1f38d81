"""The OpenAPI document: every answer and every problem of every route, and how to authenticate."""

from __future__ import annotations

from typing import Any, Final

from fastapi import FastAPI

from benne.scoring.api.access import ACCESS, Roles
from benne.scoring.api.examples import EXAMPLES
from benne.scoring.api.problems import MEDIA_TYPE, ProblemBody

__all__ = ["describe"]

_REFERENCE: Final = "#/components/schemas/{model}"
_INVALID: Final = {
    "description": "`request-invalid`",
    "content": {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(model="ProblemBody")}}},
}
_PURPOSE: Final = {
    "name": "Benne-Access-Purpose",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_.:/-]{2,63}$"},
    "description": "What a look-up by staff is for, such as `dispute:4711`; it goes on record.",
}
_MEMBER: Final = {
    "name": "member",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "The platform's own id of the member, or `me` for whoever the credentials are of.",
}


def describe(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document with problem details in place of its own validation errors."""
    document = FastAPI.openapi(app)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["ProblemBody"] = ProblemBody.model_json_schema(ref_template=_REFERENCE)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for name, example in EXAMPLES.items():
        schemas[name]["examples"] = [example]
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, ACCESS.get((method.upper(), path)))
            if "{member}" in path:  # the table of access looks at it, and no route asks for it by itself
                operation.setdefault("parameters", []).insert(0, _MEMBER)
    return document


def _complete(operation: dict[str, Any], roles: Roles | None) -> None:
    answers = operation["responses"]
    if "422" in answers and MEDIA_TYPE not in answers["422"].get("content", {}):
        answers["422"] = _INVALID
    elif "422" in answers:
        answers["422"] = {**answers["422"], "description": f"`request-invalid`; {answers['422']['description']}"}
    if roles is not None:
        answers.setdefault("422", _INVALID)
        operation["security"] = [{"bearer": []}]
        if "with_purpose" in roles.values():
            operation.setdefault("parameters", []).append(_PURPOSE)
