"""The person at the command line: who it is, and what they are told while they wait."""

from __future__ import annotations

import getpass
import logging
import os


def login() -> str:
    """Return who runs the command, as the machine knows them."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run as a user without a name
        return f"user {os.getuid()}"


def show_log() -> None:
    """Let the product's own log be seen."""
    logging.basicConfig(format="%(message)s")
    logging.getLogger("engagement").setLevel(logging.INFO)
