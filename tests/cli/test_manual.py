from __future__ import annotations

from benne.cli.manual import manual


def test_the_manual_is_what_the_commands_say(repository):
    written = (repository / "docs" / "cli.md").read_text("utf-8")
    assert written == manual(), "Run: python -m benne.cli.manual docs/cli.md"


def test_every_option_is_explained():
    assert "None" not in [row.split("|")[2].strip() for row in manual().splitlines() if row.startswith("| `")]
