"""The console in a real browser, on a bad network: from the sign-in to a link that others open."""

from pathlib import Path

from selenium.webdriver.common.keys import Keys

from facecli.chaos.events import Direction
from facecli.chaos.proxy import Proxy
from tests.e2e.web.conftest import WebServer
from tests.support.e2e.fault_proxy import CONTROL_BYTES, OVERHEAD
from tests.support.e2e.files import MIB, sha256
from tests.support.e2e.requirements import needs
from tests.support.eventually import DEADLINE
from tests.support.web.browser import Browser

CHUNK = 10 * MIB  # the server's
STORED = "#video-slot progress"


@needs("chromium")
def test_a_swap_in_the_browser_survives_cuts_and_a_reload_and_is_shared_by_a_link(
    web_server: WebServer, browser: Browser, face: Path, padded_clip: Path
) -> None:
    ann, bob = web_server.token("ann"), web_server.token("bob")
    size = padded_clip.stat().st_size
    with Proxy(web_server.address) as proxy:
        page = f"http://{proxy.address}/"
        browser.driver.get(page)
        sign_in(browser, "fc_unknown")
        browser.wait(lambda: "UNAUTHENTICATED" in browser.text("#sign-in-error"))
        assert browser.serious_findings() == []
        sign_in(browser, ann)

        browser.choose("face-file", face)
        browser.find("#face-slot [data-state=stored]")
        traffic = Traffic(proxy, web_server, ann)
        traffic.hold(after=CHUNK + 4 * MIB)
        browser.choose("video-file", padded_clip)
        traffic.wait_until_held()
        browser.wait(lambda: traffic.stored() == CHUNK)
        browser.wait(lambda: stored(browser) == CHUNK)
        lost_by_cut = traffic.lost()
        browser.wait(lambda: is_waiting_after_a_cut(browser, proxy))
        traffic.hold(after=CHUNK + 2 * MIB)
        traffic.wait_until_held()
        browser.wait(lambda: traffic.stored() == 2 * CHUNK)
        lost = traffic.lost()
        browser.driver.get("about:blank")  # a reload needs the connection that is held
        proxy.release(Direction.SERVER)
        browser.driver.get(page)
        browser.choose("video-file", padded_clip)
        shown = browser.wait(lambda: stored(browser))
        browser.find("#video-slot [data-state=stored]")
        assert shown >= 2 * CHUNK
        assert lost_by_cut <= CHUNK and lost - lost_by_cut <= CHUNK
        assert traffic.sent() <= (size + lost) * OVERHEAD + CONTROL_BYTES
        again = web_server.command(ann, "upload", padded_clip, "--json").object
        assert (again["bytes_sent"], again["bytes_skipped"]) == (0, size)

        browser.choose("face-file", face)
        browser.find("#options").send_keys("speed=1" + Keys.TAB)
        browser.wait(lambda: "no option 'speed'" in browser.text("#new-task-error"))
        options = browser.find("#options")
        options.clear()
        options.send_keys("seed=7")
        browser.wait(lambda: browser.find("#create").is_enabled())
        browser.find("#create").click()
        browser.find("#tasks [data-status=completed]")
        task = str(browser.run("return document.querySelector('[data-task]').dataset.task"))
        check_on_a_phone(browser)

        play_both(browser)
        look_at_sheet(browser)
        browser.find("[data-task] button", "Download").click()
        result = browser.downloaded("holiday.mp4")
        expected = padded_clip.with_name("expected.mp4")
        web_server.command(ann, "task", "download", task, "-o", expected)
        assert sha256(result) == sha256(expected)
        link = create_link(browser)

        browser.driver.switch_to.new_window("window")
        browser.driver.get(page)
        browser.find("#token")
        result.unlink()
        browser.run("location.href = arguments[0]", link)
        assert sha256(browser.downloaded("holiday.mp4")) == sha256(expected)
        sign_in(browser, bob)
        browser.find("#no-tasks")
        browser.find("#usage summary").click()
        browser.find("#no-files")
        assert list(browser.all("[data-task]")) == []
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


def look_at_sheet(browser: Browser) -> None:
    """The contact sheet is shown, with frames below each other."""
    browser.find("[data-task] button", "Contact sheet").click()
    shown = "const sheet = document.querySelector('dialog img.sheet'); return sheet?.naturalHeight ?? 0"
    browser.wait(lambda: browser.run(shown))
    assert browser.serious_findings() == []
    browser.find("dialog button", "Close").click()


def create_link(browser: Browser) -> str:
    browser.find("[data-task] button", "Link").click()
    browser.find("dialog button", "Create link").click()
    link = browser.find("#link-url").get_attribute("value")
    browser.find("dialog button", "Close").click()
    return str(link)


class Traffic:
    """Bytes that the page sends through a proxy from now on, and those stored of the video."""

    def __init__(self, proxy: Proxy, web_server: WebServer, token: str) -> None:
        self._proxy = proxy
        self._web_server = web_server
        self._token = token
        self._start = proxy.passed(Direction.SERVER)
        self._limit = 0

    def hold(self, *, after: int) -> None:
        """Pass this many more bytes, and hold what follows."""
        self._limit = self._proxy.passed(Direction.SERVER) + after
        self._proxy.release(Direction.SERVER)
        self._proxy.hold(Direction.SERVER, after=self._limit)

    def wait_until_held(self) -> None:
        assert self._proxy.wait_for(lambda: self._proxy.passed(Direction.SERVER) >= self._limit, DEADLINE)

    def sent(self) -> int:
        return self._proxy.passed(Direction.SERVER) - self._start

    def stored(self) -> int:
        uploads = self._web_server.command(self._token, "file", "list", "--json").objects
        return sum(upload["stored_bytes"] for upload in uploads if upload["name"] == "holiday.mp4")

    def lost(self) -> int:
        """Bytes that were sent and are not stored, so that they have to be sent again."""
        return self.sent() - self.stored()
