"""Take the pictures of the console: PYTHONPATH=. python .github/console.py (dev extra, Chromium).

It needs a font with Chinese characters, such as Debian's fonts-droid-fallback. The portraits are in the
public domain.
"""

import tempfile
from pathlib import Path

from PIL import Image
from selenium.webdriver.common.actions.action_builder import ActionBuilder

from facecli.media.ffmpeg import FfmpegMedia
from tests.support.e2e.process import invoke
from tests.support.e2e.server import Server
from tests.support.sockets import free_port
from tests.support.web.browser import Browser, chromium

FOLDER = Path(__file__).parent
PAGES = {  # width → height
    1280: 900,
    390: 1400,
}
VARIANTS = {"en": ("en", "light"), "zh": ("zh-Hans", "dark")}
COLOURS = 255
WIPE = (
    "const wipe = document.querySelectorAll('dialog input[type=range]')[1]; "
    "wipe.value = 39; wipe.dispatchEvent(new Event('input'))"
)
OPTIONS = ["--auth", "token", "--engine", "mesh"]
CLIP_SECONDS = 4
TASKS = {  # status → engine and options
    "completed": ("mesh", ""),
    "failed": ("mock", "fail_at=0.4"),
    "processing": ("mock", "delay=60"),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        face, clip = FfmpegMedia().make_portraits(folder, seconds=CLIP_SECONDS)
        address = f"127.0.0.1:{free_port()}"
        with (
            Server(folder / "data", options=[*OPTIONS, "--http", address]) as server,
            chromium(folder) as browser,
        ):
            token = invoke("token", "create", "ann", "--data-dir", server.data).out.strip()
            _swap(browser, f"http://{address}/", token, face, clip)
            _take_all(browser)


def _swap(browser: Browser, page: str, token: str, face: Path, clip: Path) -> None:
    """Sign in, and create a task that completes, one that fails, and one that runs."""
    browser.driver.get(page)
    browser.find("#token").send_keys(token + "\n")
    browser.choose("face-file", face)
    browser.choose("video-file", clip)
    for status, (engine, options) in TASKS.items():
        browser.select("engine", engine)
        field = browser.find("#options")
        field.clear()
        field.send_keys(options)
        browser.wait(lambda: browser.find("#create").is_enabled())
        browser.find("#create").click()
        browser.find(f"#tasks [data-status={status}]")
    browser.wait(lambda: browser.run("return document.querySelector('.task progress').value") > 0)
    browser.wait(lambda: not any(browser.all(".notice")))


def _take_all(browser: Browser) -> None:
    for name, variant in VARIANTS.items():
        for select, value in zip(("language", "theme"), variant, strict=True):
            browser.select(select, value)
        for width, height in PAGES.items():
            browser.resize(width, height)
            _take(browser, f"console-{name}-{width}")

    for select, value in zip(("language", "theme"), VARIANTS["en"], strict=True):
        browser.select(select, value)
    _take_player(browser)
    _take_preview(browser)


def _take_player(browser: Browser) -> None:
    browser.resize(1280, 900)
    browser.find("[data-status=completed] button.primary").click()
    browser.find("dialog")
    seen = (
        "return [...document.querySelectorAll('dialog video')].every((v) => v.readyState > 2 && !v.seeking)"
    )
    browser.wait(lambda: browser.run(seen))
    browser.run("document.querySelectorAll('dialog video').forEach((each) => { each.currentTime = 1.5 })")
    browser.run(WIPE)
    browser.wait(lambda: browser.run(seen))
    browser.run("document.querySelector('dialog').focus()")
    _take(browser, "console-player")
    browser.find("dialog .spread button").click()


def _take_preview(browser: Browser) -> None:
    browser.resize(1280, 1320)
    browser.select("engine", "mesh")
    browser.find("#options").clear()
    browser.find("#preview").click()
    browser.find("dialog img.sheet")
    browser.wait(lambda: browser.run("return document.querySelector('img.sheet').complete"))
    browser.run("document.querySelector('dialog').focus()")
    _take(browser, "console-preview")
    browser.find("dialog .spread button").click()


def _take(browser: Browser, name: str) -> None:
    path = FOLDER / f"{name}.png"
    pointer = ActionBuilder(browser.driver)
    pointer.pointer_action.move_to_location(0, 0)
    pointer.perform()
    browser.driver.save_screenshot(str(path))
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS).save(path, optimize=True)


if __name__ == "__main__":
    main()
