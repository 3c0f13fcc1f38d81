"""As much of curl as the documents use, for machines that have none."""

from __future__ import annotations

import argparse
import sys
import urllib.error
import urllib.request


def main() -> int:
    """Ask once and print the answer; 22 for a status of 400 and more with -f, 7 where nobody listens."""
    parser = argparse.ArgumentParser(prog="curl")
    parser.add_argument("url")
    parser.add_argument("-s", action="store_true")
    parser.add_argument("-f", action="store_true")
    parser.add_argument("-X", default=None)
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d", default=None)
    asked = parser.parse_args()
    headers = dict(header.split(": ", 1) for header in asked.H)
    body = None if asked.d is None else asked.d.encode()
    request = urllib.request.Request(asked.url, body, headers, method=asked.X)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            sys.stdout.buffer.write(answer.read())
    except urllib.error.HTTPError as refusal:
        if asked.f:
            return 22
        sys.stdout.buffer.write(refusal.read())
    except urllib.error.URLError:
        return 7
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
