"""A headless Chromium that pictures and measures a page, without a network and without the machine's settings."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from engagement.settings import INCLUDE

_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Fonts and frames are ready before a picture is taken.
    "--virtual-time-budget=10000",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    # Letters as they are in the font, whatever the machine prefers.
    "--font-render-hinting=none",
    "--disable-lcd-text",
)
# The shipped fonts and no others, drawn as they are: what else a machine has, or prefers, changes lines and letters.
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <cachedir>{folder}/fonts</cachedir>
  <match target="pattern">
    <edit name="antialias" mode="assign"><bool>true</bool></edit>
    <edit name="hinting" mode="assign"><bool>false</bool></edit>
    <edit name="rgba" mode="assign"><const>none</const></edit>
  </match>
</fontconfig>
"""
_SECONDS = 60
_NARROWEST = 500  # px of a window
_BORDER = 200  # px that a window is higher than what is seen in it


class Chromium:
    """The browser; each call starts it anew, with a folder of its own."""

    def __init__(self, program: str) -> None:
        """Take the program."""
        self._program = program

    def picture(
        self, html: str, width: int, height: int, *, is_dark: bool = False, has_images: bool = True
    ) -> Image.Image:
        """Return what is seen of a page in a window of this size, in px."""
        with tempfile.TemporaryDirectory(prefix="chromium-") as folder:
            shot = Path(folder) / "shot.png"
            self._run(
                folder,
                _framed(html, width, height),
                _settings(is_dark, has_images),
                f"--window-size={max(width, _NARROWEST)},{height + _BORDER}",
                f"--screenshot={shot}",
            )
            with Image.open(shot) as taken:
                return taken.convert("RGB").crop((0, 0, width, height))

    def measure(
        self,
        html: str,
        width: int,
        height: int,
        script: str,
        *,
        is_dark: bool = False,
        has_images: bool = True,
    ) -> Any:
        """Return the value of a JavaScript expression about the page's `document`, as JSON has it."""
        measuring = f"""<script>
            const frame = document.querySelector("iframe")
            frame.onload = () => {{
              const document = frame.contentDocument
              document.fonts.ready.then(() => {{ frame.title = JSON.stringify({script}) }})
            }}
            </script>"""
        with tempfile.TemporaryDirectory(prefix="chromium-") as folder:
            dom = self._run(
                folder,
                _framed(html, width, height) + measuring,
                _settings(is_dark, has_images),
                "--dump-dom",
            )
        measured = re.search(r'<iframe[^>]* title="([^"]*)"', dom)
        assert measured, "the page was not measured"
        return json.loads(unescape(measured[1]))

    def _run(self, folder: str, html: str, *options: str) -> str:
        page = Path(folder) / "page.html"
        page.write_text(html, encoding="utf-8")
        fonts = Path(folder) / "fonts.conf"
        fonts.write_text(_FONTS.format(fonts=INCLUDE / "fonts", folder=folder), encoding="utf-8")
        done = subprocess.run(
            [
                self._program,
                *_OPTIONS,
                f"--user-data-dir={folder}/profile",
                *options,
                page.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
            env=os.environ | {"FONTCONFIG_FILE": str(fonts)},
        )
        return done.stdout


def _settings(is_dark: bool, has_images: bool) -> str:
    scheme, images = 0 if is_dark else 1, "true" if has_images else "false"
    return f"--blink-settings=preferredColorScheme={scheme},imagesEnabled={images}"


def _framed(html: str, width: int, height: int) -> str:
    """Return a page that shows another one in a frame: no window is narrower than 500 px, a phone is."""
    return (
        '<!DOCTYPE html><meta charset="utf-8"><body style="margin:0">'
        f'<iframe style="display:block;border:0;width:{width}px;height:{height}px" '
        f'srcdoc="{escape(html)}"></iframe>'
    )


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    """The browser, if it is installed."""
    program = shutil.which("chromium")
    if program is None:
        sentence = "Chromium is not installed: apt-get install --no-install-recommends chromium"
        if os.environ.get("LIBRARY_RIG") == "required":
            pytest.fail(sentence)
        pytest.skip(sentence)
    return Chromium(program)
