"""``python -m benne`` is the command ``benne``."""

from __future__ import annotations

from benne.cli import main

if __name__ == "__main__":
    main()
