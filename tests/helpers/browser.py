"""A headless Chromium, Debian's, that looks at pages as people do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from support import require


@contextmanager
def browser(profile: Path) -> Iterator[webdriver.Chrome]:
    """Start one, and end it; skips a test where there is none."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    require(bool(chromium and driver), "chromium with chromium-driver")
    options = Options()
    options.binary_location = str(chromium)
    for option in (
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
        *("--disable-dev-shm-usage", f"--user-data-dir={profile}"),
    ):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options=options, service=Service(str(driver)))
    try:
        yield found
    finally:
        found.quit()


def look(driver: webdriver.Chrome, width: int, height: int, dark: bool = False) -> None:
    """Give the window a size and the system a colour scheme."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def complaints(driver: webdriver.Chrome) -> list[Any]:
    """What the console has said since it was last asked."""
    log: list[Any] = driver.get_log("browser")  # type: ignore[no-untyped-call]
    return log
