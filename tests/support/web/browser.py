"""Debian's Chromium without a window, driven by Selenium."""

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.support.e2e.requirements import AXE
from tests.support.eventually import eventually

# Chromium reports these for every request that fails, as when the test cuts a connection.
FAILED_REQUEST = "network"

_SERIOUS = {"serious", "critical"}
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # which root cannot have
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--force-device-scale-factor=1",
)


class Browser:
    """One browser with its windows; every window has a session storage of its own."""

    def __init__(self, driver: Chrome, downloads: Path) -> None:
        self.driver = driver
        self.downloads = downloads

    def find(self, selector: str, text: str | None = None) -> WebElement:
        """The first visible element that fits, once it is there; `text` is all of its text."""
        found: WebElement = self.wait(lambda: next(self.all(selector, text), None))
        return found

    def all(self, selector: str, text: str | None = None) -> Iterator[WebElement]:
        """The visible elements that fit now."""
        script = (
            "return [...document.querySelectorAll(arguments[0])].filter((each) => each.checkVisibility() "
            "&& (arguments[1] === null || each.innerText.trim() === arguments[1]))"
        )
        yield from self.driver.execute_script(script, selector, text)

    def text(self, selector: str) -> str:
        """The text of the first element that fits; empty if there is none now."""
        script = "return document.querySelector(arguments[0])?.innerText ?? ''"
        return str(self.driver.execute_script(script, selector))

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition: Callable[[], object]) -> Any:
        return eventually(condition, every=0.1)

    def choose(self, input_id: str, path: Path) -> None:
        """Choose a file in a picker."""
        self.driver.find_element(By.ID, input_id).send_keys(str(path))

    def drop(self, selector: str, path: Path) -> None:
        """Drop a file on an element."""
        script = (
            "const [selector, name, data] = arguments; const dataTransfer = new DataTransfer(); "
            "const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0)); "
            "dataTransfer.items.add(new File([bytes], name)); "
            "for (const type of ['dragover', 'drop']) document.querySelector(selector).dispatchEvent("
            "new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer }))"
        )
        self.run(script, selector, path.name, base64.b64encode(path.read_bytes()).decode())

    def select(self, select_id: str, value: str) -> None:
        """Choose an option by its value."""
        script = (
            "const select = document.getElementById(arguments[0]); select.value = arguments[1]; "
            "select.dispatchEvent(new Event('change'))"
        )
        self.run(script, select_id, value)

    def resize(self, width: int, height: int) -> None:
        """Set the size of the page, also below the smallest size of a window."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def downloaded(self, name: str) -> Path:
        """A file of the downloads folder, once it is complete."""
        path = self.downloads / name
        self.wait(lambda: path.exists() and path.stat().st_size)
        return path

    def complaints(self) -> list[str]:
        """Errors and warnings of the pages so far, without those about failed requests."""
        log: list[dict[str, Any]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in log if entry["source"] != FAILED_REQUEST]

    def serious_findings(self) -> list[str]:
        """The accessibility rules that the page breaks now, with the elements, as axe-core judges."""
        self.driver.execute_script(AXE.read_text())
        found = self.driver.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
        return [
            f"{rule['id']}: {node['html']}"
            for rule in found["violations"]
            if rule["impact"] in _SERIOUS
            for node in rule["nodes"]
        ]


@contextmanager
def chromium(downloads: Path, *, language: str = "en") -> Iterator[Browser]:
    options = ChromeOptions()
    options.binary_location = which("chromium") or "chromium"
    for option in (*_OPTIONS, f"--lang={language}"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    preferences = {"download.default_directory": str(downloads), "intl.accept_languages": language}
    options.add_experimental_option("prefs", preferences)
    driver = Chrome(options=options, service=Service(which("chromedriver") or "chromedriver"))
    try:
        yield Browser(driver, downloads)
    finally:
        driver.quit()
