"""Finds the system's Chromium, or installs Debian's where that is allowed, or says what to do."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ADVICE = """The browser tests need Chromium, and none of {names} is on PATH.
Install it, then run `make test` again:
    Debian, Ubuntu:  sudo apt-get install chromium
    elsewhere:       https://www.chromium.org/getting-involved/download-chromium"""


def find() -> str | None:
    """Path of the first browser on PATH."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def apt() -> list[str] | None:
    """The command prefix that may run apt-get here: none for root, ``sudo -n`` if it asks no password; else None."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if (
        sudo
        and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return [sudo, "-n"]
    return None


def ensure() -> str:
    """Path of a Chromium, installed if need be. Exits with advice where there is none and none can be had."""
    if path := find():
        return path
    prefix = apt()
    if prefix is not None:
        print("chromium: installing Debian's with apt-get", file=sys.stderr)
        subprocess.run([*prefix, "apt-get", "update", "-qq"], check=False)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
        subprocess.run([*prefix, *environment, *install], check=False, stdout=subprocess.DEVNULL)
        if path := find():
            return path
    sys.exit(ADVICE.format(names=", ".join(NAMES)))


if __name__ == "__main__":
    print(ensure())
