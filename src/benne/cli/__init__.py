"""The command ``benne``: one module per command or group of commands, none with logic of its own."""

from benne.cli.application import app, main

__all__ = ["app", "main"]
