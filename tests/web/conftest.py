"""What the tests share: certificates, the page, one browser, an agent."""
import pytest

import page
from agent import Agent
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
    """The example's page, as its users build it."""
    return page.build()


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
