#!/usr/bin/env python3
"""Builds the example's page as its README says, but outside the source tree."""
import shutil
import subprocess

from places import BUILD, EXAMPLE  # first: it makes builds.py known

from builds import install_packages

FOLDER = BUILD / "web/page"


def build():
    """The folder that is to be served. Packages that are there already are kept."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for suffix in ("js", "json", "html", "css"):
        for file in EXAMPLE.glob(f"*.{suffix}"):
            if file.name != "bundle.js":
                shutil.copy(file, FOLDER)
    install_packages(FOLDER)
    done = subprocess.run(["npm", "run", "build"], cwd=FOLDER, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return FOLDER


if __name__ == "__main__":
    build()
