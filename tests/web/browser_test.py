"""A page with js-libp2p in a real browser, and our agent: what the page says, and what its picture shows."""
import pytest
from agent import Agent
from places import PICTURES
from picture import SIZE, STEPS, has_words, squares, states
from servers import LOOPBACK, nginx
from tool import STRANGER

WORK = " ".join(f"{percent} %" for percent in range(10, 101, 10))


class Shown:
    """A page as it stands: its words, and its picture."""

    def __init__(self, page, name):
        self.words = {step: page.evaluate(f"document.querySelector('#{step} p').textContent") for step in STEPS}
        self.states = [page.evaluate(f"document.getElementById('{step}').dataset.state ?? 'waiting'") for step in STEPS]
        self.picture = page.picture()
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.picture.save(PICTURES / f"{name}.png")

    def check(self, *expected, updates):
        """The states of the steps, in the page and in its picture."""
        assert self.states == list(expected), self.words
        assert states(self.picture) == list(expected)
        assert squares(self.picture) == updates
        for step, state in enumerate(expected):
            assert has_words(self.picture, step) == (state != "waiting"), STEPS[step]

    def check_all_done(self, agent, host=f"/ip4/{LOOPBACK}"):
        self.check("done", "done", "done", "done", updates=10)
        assert self.words["connected"].startswith(f"{agent.peer} at {host}/tcp/")
        assert self.words["identified"].startswith("p2pagents/")
        assert "/p2pagents/rpc/1.0.0" in self.words["identified"]
        assert self.words["answered"] == "hello, browser"
        assert self.words["updated"] == WORK


def show(chromium, url, address, name):
    with chromium.page(f"{url}#{address}", *SIZE) as page:
        page.wait_for("document.body?.dataset.over !== undefined")
        return Shown(page, name)


def test_a_page_reaches_an_agent_over_websocket(chromium, page_url, agent):
    show(chromium, page_url, agent.address, "websocket").check_all_done(agent)


def test_a_page_without_its_agent_shows_that_and_the_check_sees_it(chromium, page_url):
    with Agent() as gone:
        pass
    shown = show(chromium, page_url, gone.address, "no-agent")
    shown.check("failed", "waiting", "waiting", "waiting", updates=0)
    with pytest.raises(AssertionError):
        shown.check_all_done(gone)
    shown.states = ["done"] * len(STEPS)  # and the picture alone gives it away
    with pytest.raises(AssertionError):
        shown.check("done", "done", "done", "done", updates=10)


def test_a_page_does_not_take_another_agent_for_its_own(chromium, page_url, agent):
    shown = show(chromium, page_url, agent.address.replace(agent.peer, STRANGER), "other-agent")
    shown.check("failed", "waiting", "waiting", "waiting", updates=0)


def test_a_page_sees_its_agent_die_at_work(chromium, page_url, agent):
    with chromium.page(f"{page_url}#{agent.address}", *SIZE) as page:
        page.wait_for("document.querySelectorAll('i').length >= 2")
        agent.process.kill()
        page.wait_for("document.body?.dataset.over !== undefined")
        shown = Shown(page, "dead-agent")
    assert 2 <= squares(shown.picture) < 10
    shown.check("done", "done", "done", "failed", updates=squares(shown.picture))


def test_a_page_and_its_agent_behind_the_tls_of_nginx(chromium, page_folder, agent, certificate, tmp_path):
    with nginx(tmp_path / "nginx", certificate, page_folder, agent.port) as server:
        address = f"/dns4/localhost/tcp/{server.port}/tls/ws/p2p/{agent.peer}"
        show(chromium, f"https://localhost:{server.port}/", address, "nginx").check_all_done(agent, "/dns4/localhost")
        server.wait_for_log('"GET / HTTP/1.1" 101 ')


def test_a_page_does_not_connect_by_a_certificate_that_the_browser_does_not_believe(
        chromium, page_url, page_folder, agent, foreign_certificate, tmp_path):
    with nginx(tmp_path / "nginx", foreign_certificate, page_folder, agent.port) as server:
        address = f"/ip4/{LOOPBACK}/tcp/{server.port}/tls/ws/p2p/{agent.peer}"
        shown = show(chromium, page_url, address, "foreign-certificate")
        shown.check("failed", "waiting", "waiting", "waiting", updates=0)
