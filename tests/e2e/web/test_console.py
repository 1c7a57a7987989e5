"""The console in a real browser, on a bad network: from the sign-in to a link that others open.

`CONSOLE_MIB=200 pytest -s tests/e2e/web/test_console.py` uploads 200 MiB, and prints what each break cost.
"""

import sys
from pathlib import Path

from selenium.webdriver.common.keys import Keys

from facecli.chaos.events import Direction
from facecli.chaos.proxy import Proxy
from tests.e2e.web.conftest import WebServer
from tests.support.e2e.fault_proxy import CONTROL_BYTES, OVERHEAD
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.requirements import needs
from tests.support.web.browser import Browser
from tests.support.web.http_client import ask
from tests.support.web.traffic import Traffic

CHUNK = 10 * MIB  # the server's
STORED = "#video-slot progress"
CONSENT, CONSENT_SHA256 = "我同意", "9b3a9a53cd77ce01c8dec583780e8425fff011383bec0b4a2581ab13f7dba966"
SHEET = "return document.querySelector('dialog img.sheet')?.naturalHeight ?? 0"


@needs("chromium")
def test_a_swap_in_the_browser_survives_cuts_and_a_reload_and_is_shared_by_a_link(
    web_server: WebServer, browser: Browser, face: Path, padded_clip: Path
) -> None:
    ann, bob = web_server.token("ann"), web_server.token("bob")
    theirs = web_server.command(bob, "upload", face, "--name", "bob.png", "--json").object
    size = padded_clip.stat().st_size
    step = max(1, size // CHUNK // 4)  # chunks until the next break
    with Proxy(web_server.address) as proxy:
        page = f"http://{proxy.address}/"
        browser.driver.get(page)
        sign_in(browser, "fc_unknown")
        browser.wait(lambda: "UNAUTHENTICATED" in browser.text("#sign-in-error"))
        assert browser.serious_findings() == []
        sign_in(browser, ann)

        browser.choose("face-file", face)
        browser.find("#face-slot [data-state=stored]")
        traffic = Traffic(proxy, lambda: stored_by_server(web_server, ann))
        traffic.hold(after=step * CHUNK + 4 * MIB)
        browser.choose("video-file", padded_clip)
        for breaks in range(1, 4):
            traffic.wait_until_held()
            browser.wait(lambda: traffic.stored() == breaks * step * CHUNK)  # noqa: B023
            traffic.note_break()
            if breaks == 3:
                browser.driver.get("about:blank")  # a reload needs the connection that is held
                proxy.release(Direction.SERVER)
                browser.driver.get(page)
                browser.choose("video-file", padded_clip)
            else:
                browser.wait(lambda: stored(browser) == breaks * step * CHUNK)  # noqa: B023
                browser.wait(lambda: is_waiting_after_a_cut(browser, proxy))
                traffic.hold(after=step * CHUNK + 4 * MIB)
        assert browser.wait(lambda: stored(browser)) >= 3 * step * CHUNK
        browser.find("#video-slot [data-state=stored]")
        assert len(traffic.lost) == 3 and max(traffic.lost) <= CHUNK
        assert traffic.sent() <= (size + sum(traffic.lost)) * OVERHEAD + CONTROL_BYTES
        sys.stderr.write(f"{size} bytes, {traffic.sent()} sent; lost by each break: {traffic.lost}\n")
        again = web_server.command(ann, "upload", padded_clip, "--json").object
        assert (again["bytes_sent"], again["bytes_skipped"]) == (0, size)

        browser.drop("#face-slot", face)
        browser.find("#options").send_keys("speed=1" + Keys.TAB)
        browser.wait(lambda: "no option 'speed'" in browser.text("#new-task-error"))
        options = browser.find("#options")
        options.clear()
        options.send_keys("seed=7")
        browser.wait(lambda: browser.find("#create").is_enabled())
        state_the_consent_that_is_required(browser)
        look_at_preview(browser)
        browser.find("#priority").send_keys("High")
        browser.find("#create").click()
        browser.wait(lambda: "high priority" in browser.text("#tasks [data-status=completed]"))
        task = str(browser.run("return document.querySelector('[data-task]').dataset.task"))
        record = web_server.command(ann, "task", "provenance", task, "--json").object
        assert record["consent"]["sha256"] == CONSENT_SHA256
        check_on_a_phone(browser)

        play_both(browser)
        look_at_sheet(browser)
        browser.find("[data-task] button", "Download").click()
        result = browser.downloaded("holiday.mp4")
        expected = padded_clip.with_name("expected.mp4")
        web_server.command(ann, "task", "download", task, "-o", expected)
        assert sha256(result) == sha256(expected)
        link = create_link(browser)
        browser.find("#usage summary").click()
        assert names_of_files(browser) == ["face.png", "holiday.mp4"]
        assert browser.serious_findings() == []
        cancel_retry_and_delete_another(browser)

        browser.driver.switch_to.new_window("window")
        browser.driver.get(page)
        browser.find("#token")
        result.unlink()
        browser.run("location.href = arguments[0]", link)
        assert sha256(browser.downloaded("holiday.mp4")) == sha256(expected)
        short = web_server.command(ann, "task", "url", task, "--expires", "1s").out.strip()
        browser.wait(lambda: answer_to(browser, short) == (401, "this link has expired"))
        browser.driver.get(page)
        sign_in(browser, bob)
        browser.find("#no-tasks")
        browser.find("#usage summary").click()
        assert names_of_files(browser) == ["bob.png"]
        assert list(browser.all("[data-task]")) == []
        assert theirs["name"] == "bob.png"
        browser.find("#sign-out").click()
        browser.find("#token")
        assert "bob" not in browser.run("return document.body.textContent")

        browser.driver.switch_to.window(browser.driver.window_handles[0])
        delete(browser, "completed")
        path = link.removeprefix(f"http://{web_server.address}")
        assert ask(f"http://{web_server.address}", path).status == 404
        assert browser.complaints() == []


def sign_in(browser: Browser, token: str) -> None:
    browser.find("#token").send_keys(token + Keys.ENTER)


def stored(browser: Browser) -> int:
    """The stored bytes that the bar of the video shows."""
    return int(browser.run("return document.querySelector(arguments[0])?.value ?? 0", STORED))


def check_on_a_phone(browser: Browser) -> None:
    """Everything fits into the width, in both languages, and is accessible in dark colours, too."""
    browser.resize(390, 844)
    for language, theme in (("zh-Hans", "dark"), ("en", "light")):
        browser.select("language", language)
        browser.select("theme", theme)
        assert browser.run("return document.documentElement.scrollWidth") == 390
        assert browser.run("return document.documentElement.lang") == language
        assert browser.serious_findings() == []
    browser.resize(1280, 900)


def is_waiting_after_a_cut(browser: Browser, proxy: Proxy) -> bool:
    """Cut all connections; Chromium itself tries once more on a new one before it tells the page."""
    proxy.cut(reset=True)
    return any(browser.all("#video-slot [data-state=waiting]"))


def play_both(browser: Browser) -> None:
    """Play the original and the result, step by frame, and change the view."""
    browser.find("[data-task] button", "Play").click()
    ready = "return [...document.querySelectorAll('dialog video')].map((each) => each.readyState >= 2)"
    browser.wait(lambda: browser.run(ready) == [True, True])
    dialog = browser.find("dialog")
    dialog.send_keys(Keys.ARROW_RIGHT)
    browser.wait(lambda: browser.text("#frame").startswith("Frame 2 of "))
    dialog.send_keys(Keys.ARROW_RIGHT)
    browser.wait(lambda: browser.text("#frame").startswith("Frame 3 of "))
    dialog.send_keys(Keys.ARROW_LEFT)
    browser.wait(lambda: browser.text("#frame").startswith("Frame 2 of "))
    times = browser.run(
        "return [...document.querySelectorAll('dialog video')].map((each) => each.currentTime)"
    )
    assert times[0] == times[1] > 0
    browser.find("dialog button", "Side by side").click()
    browser.find(".stage[data-mode=side]")
    assert browser.serious_findings() == []
    browser.find("dialog button", "Close").click()


def stored_by_server(web_server: WebServer, token: str) -> int:
    """The stored bytes of the video, as the server tells its owner."""
    uploads = web_server.command(token, "file", "list", "--json").objects
    return sum(upload["stored_bytes"] for upload in uploads if upload["name"] == "holiday.mp4")


def cancel_retry_and_delete_another(browser: Browser) -> None:
    """Create a slow task, and change it in every way."""
    options = browser.find("#options")
    options.clear()
    options.send_keys("delay=60")
    browser.wait(lambda: browser.find("#create").is_enabled())
    browser.find("#create").click()
    for change in ("Cancel", "Retry", "Cancel"):
        browser.find("[data-task] button", change).click()
    browser.find("#tasks [data-status=cancelled]")
    delete(browser, "cancelled")


def delete(browser: Browser, status: str) -> None:
    """Delete the only task with this status."""
    browser.find(f"[data-status={status}] button", "Delete").click()
    browser.driver.switch_to.alert.accept()
    browser.wait(lambda: not any(browser.all(f"[data-status={status}]")))


def state_the_consent_that_is_required(browser: Browser) -> None:
    """The refusal of a task and of a preview leads to the field for it."""
    focus = "return document.activeElement.id"
    browser.find("#create").click()
    browser.wait(lambda: browser.run(focus) == "consent")
    assert "POLICY_REFUSED" in browser.text("#new-task-error")
    assert browser.serious_findings() == []
    browser.find("#preview").click()
    browser.wait(lambda: "POLICY_REFUSED" in browser.text("dialog"))
    browser.find("dialog").send_keys(Keys.ESCAPE)
    browser.wait(lambda: browser.run(focus) == "consent")
    browser.find("#consent").send_keys(CONSENT)


def look_at_preview(browser: Browser) -> None:
    """Ask for a preview and close it again, by keyboard; the focus returns."""
    browser.find("#preview").send_keys(Keys.ENTER)
    browser.wait(lambda: browser.run(SHEET))
    assert browser.serious_findings() == []
    browser.find("dialog").send_keys(Keys.ESCAPE)
    browser.wait(lambda: browser.run("return document.activeElement.id") == "preview")


def look_at_sheet(browser: Browser) -> None:
    """The contact sheet is shown, with frames below each other."""
    browser.find("[data-task] button", "Contact sheet").click()
    browser.wait(lambda: browser.run(SHEET))
    assert browser.serious_findings() == []
    browser.find("dialog button", "Close").click()


def create_link(browser: Browser) -> str:
    browser.find("[data-task] button", "Link").click()
    browser.find("dialog button", "Create link").click()
    link = browser.find("#link-url").get_attribute("value")
    browser.find("dialog button", "Close").click()
    return str(link)


def names_of_files(browser: Browser) -> list[str]:
    """The names in the list of files, once there are some."""
    names = "return [...document.querySelectorAll('#files .name')].map((each) => each.textContent)"
    return sorted(browser.wait(lambda: browser.run(names)))


def answer_to(browser: Browser, link: str) -> tuple[int, str]:
    """Open a link: its status, and the beginning of what the page says; 0 if it is downloaded."""
    browser.run("location.href = arguments[0]", link)
    browser.wait(lambda: browser.run("return document.readyState") == "complete")
    status = browser.run("return performance.getEntriesByType('navigation')[0].responseStatus")
    return status, browser.text("pre").partition('"message": "')[2].partition('"')[0]
