"""Take the pictures of docs/console.md: ``make screenshots``. A small simulated platform, Chromium, nothing else."""

from __future__ import annotations

import io
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PIL import Image
from playwright.sync_api import sync_playwright

from benne.scoring.decisions.request import Actor
from benne.scoring.disputes.dispute import Disputed
from benne.scoring.members.recording import Doing
from tests.browser.conftest import ARGUMENTS, CHROMIUM, Site, Tab
from tests.browser.serving import served_site

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screens"
MOST_BYTES = 150_000
COLOURS = 128
WIDE = {"width": 1180, "height": 800}
NARROW = {"width": 420, "height": 860}


def main() -> int:
    """Take every picture anew."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, served_site(Path(folder)) as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))

        def tab(**options: object) -> Tab:
            return Tab(site, browser.new_context(locale="en-GB", **options).new_page())

        fill_queue(site)
        member(site, tab(viewport=WIDE))
        staff(site, tab(viewport=WIDE))
        chinese(site, tab(viewport=NARROW, color_scheme="dark"))
        browser.close()
    sizes = {file.name: file.stat().st_size for file in sorted(FOLDER.glob("*.png"))}
    sys.stdout.write("".join(f"{name}: {size:,} bytes\n" for name, size in sizes.items()))
    return int(any(size > MOST_BYTES for size in sizes.values()))


def member(site: Site, tab: Tab) -> None:
    """A member's own page and what-if; they dispute something and ask for a review."""
    shown = site.shown.consenting
    site.consent(shown)
    tab.sign_in(site.key("member", shown), "me")
    tab.send("Make my score now")
    tab.go("/me")
    picture(tab, "own-page")
    tab.go("/me/what-if")
    tab.page.fill("#mark", "580")
    tab.press("Find it")
    tab.page.wait_for_selector("#what-if-answer .three")
    picture(tab, "what-if")
    tab.go("/me/disputes")
    tab.page.locator("input[value=personal_data]").check()
    tab.page.fill("#text", "My employer's name is misspelt, and I have worked there since 2019, not 2021.")
    tab.send("Open the dispute")
    tab.go("/me/disputes")
    tab.page.select_option("#review_decision", index=1)
    tab.send("Ask for a review")


def fill_queue(site: Site) -> None:
    """Disputes of some weeks, so that the queue looks as it does on a Monday."""
    service, by = site.service, Doing(Actor("key:1", "member"))
    officer = Doing(Actor("key:5f0c9a1e", "compliance"), "audit")
    now = service.clock()
    for number, (days_ago, topic) in enumerate(
        ((21, "adverse_item"), (17, "personal_data"), (12, "adverse_item"), (9, "personal_data"), (3, "adverse_item"))
    ):
        subject_id = service.subject_of(f"m{number:08d}")
        site.consent(f"m{number:08d}")
        case = service.disputes.open(subject_id, Disputed(topic=topic, text="This is not mine."), by)
        opened = now - timedelta(days=days_ago)
        moments = tuple(int(one.timestamp() * 1e6) for one in (opened, opened + timedelta(days=20)))
        with service.store.write() as connection:
            moved = "UPDATE rights_cases SET opened_at_us = ?, due_at_us = ? WHERE case_id = ?"
            connection.exec_driver_sql(moved, (*moments, case.case_id))
        if number in (1, 3):
            service.disputes.look_into(case.case_id, case.version, officer)


def staff(site: Site, tab: Tab) -> None:
    """The work queue, a dispute that is looked into, and a member's page."""
    tab.sign_in(site.key("compliance"))
    picture(tab, "queue")
    tab.page.locator("tbody a", has_text="Dispute: Personal data").last.click()
    tab.send("Take it")
    tab.go(tab.path.partition("?")[0])
    tab.page.locator("input[value=corrected]").check()
    tab.page.fill("#answer", "You are right. The register now says that you have worked there since 2019.")
    picture(tab, "dispute")
    tab.go("/console/members")
    tab.page.fill("#member_id", site.shown.consenting)
    tab.page.select_option("#what_for", "dispute")
    tab.page.fill("#case", "4711")
    tab.send("Look up")
    picture(tab, "member")


def chinese(site: Site, tab: Tab) -> None:
    """A member's own page in Chinese, on a telephone, in the dark."""
    tab.go("/me/sign-in?lang=zh")
    tab.page.fill("#key", site.key("member", site.shown.consenting))
    tab.page.click("button.main")
    picture(tab, "own-page-chinese")


def picture(tab: Tab, name: str) -> None:
    """What somebody sees without scrolling."""
    tab.page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
    taken = Image.open(io.BytesIO(tab.page.screenshot())).convert("RGB")
    taken.quantize(COLOURS, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
