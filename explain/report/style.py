"""What the report's page looks like, on a screen and on paper, and by what hash a policy lets it."""

from __future__ import annotations

import base64
import hashlib
from typing import Final

__all__ = ["CONTENT_SECURITY_POLICY", "STYLE"]

STYLE: Final = """
:root { --ink: #1f2933; --quiet: #52606d; --line: #cbd2d9; --main: #00447c; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #fff; overflow-wrap: anywhere;
  font: 16px/1.45 system-ui, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", "PingFang SC", "Microsoft YaHei",
  "Noto Sans CJK SC", sans-serif; }
main { max-width: 50rem; margin: 0 auto; padding: 1.5rem 1.25rem 3rem; }
h1 { font-size: 1.7rem; margin: 0; color: var(--main); }
h2 { font-size: 1.15rem; margin: 1.6rem 0 .4rem; color: var(--main); border-bottom: 1px solid var(--line);
  padding-bottom: .15rem; }
p { margin: .35rem 0; }
p.strong { font-weight: 600; }
p.note, header p { color: var(--quiet); font-size: .9em; }
ul { margin: .3rem 0; padding-left: 1.2rem; }
li { margin: .25rem 0; }
svg { display: block; max-width: 100%; height: auto; }
.beside { display: grid; grid-template-columns: minmax(14rem, 2fr) 3fr; gap: 1.2rem; align-items: center; }
@media (max-width: 36rem) { .beside { grid-template-columns: 1fr; } }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; font-size: .93em; }
th, td { padding: .25rem .4rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
table.fixed { table-layout: fixed; }
.w-20 { width: 20%; } .w-25 { width: 25%; } .w-30 { width: 30%; } .w-40 { width: 40%; } .w-75 { width: 75%; }
th { color: var(--quiet); font-weight: 600; }
.figure { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
tr.sum td { font-weight: 700; border-bottom: 2px solid var(--ink); }
@page { size: A4; margin: 14mm 15mm; }
@media print {
  body { font-size: 8.3pt; line-height: 1.25; }
  main { max-width: none; padding: 0; }
  h1 { font-size: 17pt; }
  h2 { margin: .7rem 0 .2rem; font-size: 11pt; break-after: avoid; }
  p { margin: .2rem 0; }
  ul { margin: .2rem 0; }
  li { margin: .12rem 0; }
  tr, li, svg { break-inside: avoid; }
  .chart { max-height: 42mm; margin: 0 auto; }
  .beside { grid-template-columns: 2fr 3fr; }
  table { margin: .25rem 0; }
  th, td { padding: .08rem .35rem; }
  .new-page { break-before: page; }
  .new-page h2 { margin-top: 0; }
}
"""
"""All of it is in the page itself: a report that somebody keeps needs nothing else."""

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-"
    f"{base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()}'"
)
"""With which a report is served: nothing is loaded, nothing runs, and no other style holds."""
