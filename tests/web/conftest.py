"""What the tests share: certificates, the page as its users build it, one browser."""
import shutil
import subprocess

import pytest
from places import BUILD, EXAMPLE  # first: it makes tool.py known

from agent import Agent
from builds import install_packages
from certificate import Certificate
from chromium import Chromium
from servers import pages


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return Certificate.make(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def foreign_certificate(tmp_path_factory):
    """One that nobody here believes."""
    return Certificate.make(tmp_path_factory.mktemp("foreign_certificate"))


@pytest.fixture(scope="session")
def page_folder():
    """The example's page, built as its README says, but outside the source tree."""
    folder = BUILD / "web/page"
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in ("js", "json", "html", "css"):
        for file in EXAMPLE.glob(f"*.{suffix}"):
            if file.name != "bundle.js":
                shutil.copy(file, folder)
    install_packages(folder)
    done = subprocess.run(["npm", "run", "build"], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return folder


@pytest.fixture(scope="session")
def page_url(page_folder, tmp_path_factory):
    with pages(tmp_path_factory.mktemp("pages"), page_folder) as server:
        yield f"http://127.0.0.1:{server.port}/"


@pytest.fixture(scope="session")
def chromium(certificate, tmp_path_factory):
    with Chromium(tmp_path_factory.mktemp("chromium"), [certificate.key_hash()]) as browser:
        yield browser


@pytest.fixture
def agent():
    with Agent() as one:
        yield one
