"""Our node dials through proxies of Debian's. They go on from an address of their own, by which the peer knows them."""
import os

import pytest
from places import EXAMPLE
from servers import LOOPBACK, PROXY_EXIT, Microsocks, Tinyproxy, free_port, nginx
from tool import DONE, LOOPBACK as QUIC, STRANGER, UNREACHABLE, Node, p2pa

PROXIES = pytest.mark.parametrize("kind", [Tinyproxy, Microsocks])
ROADS = pytest.mark.parametrize("road", ["", "/ws"])


def listening(road="/ws"):
    return Node(listen=f"/ip4/{LOOPBACK}/tcp/0{road}")


def port_of(node):
    return int(node.address.split("/")[4])


def url(kind, server, user=""):
    return f"{kind.scheme}://{user}{LOOPBACK}:{server.port}"


def came_from(node):
    """The IP address of whoever connects next."""
    return node.event("connected")["address"].split("/")[2]


def check_refused(kind, server, detail, *texts, user="", port=None):
    """That a dial to a port where a node listens ends so; it hears of nobody."""
    with listening() as node:
        address = node.address if port is None else node.address.replace(f"/{port_of(node)}/", f"/{port}/")
        done = p2pa("-v", "ping", "-n", "1", "--proxy", url(kind, server, user), address)
        assert (done.returncode, done.stdout) == (UNREACHABLE, "")
        assert f"(detail {detail})" in done.stderr
        for text in texts:
            assert text in done.stderr
        _, output, _ = node.end()
        assert '"connected"' not in output


def test_without_a_proxy_the_peer_sees_us_and_not_the_proxy():
    with listening() as node:
        assert p2pa("ping", "-n", "1", node.address).returncode == DONE
        assert came_from(node) == LOOPBACK != PROXY_EXIT


@PROXIES
@ROADS
@pytest.mark.parametrize("with_user", [False, True], ids=["nobody", "user"])
def test_a_peer_is_reached_through_the_proxy(kind, road, with_user, tmp_path):
    user = kind.user if with_user else ""
    with kind.start(tmp_path / "proxy", with_user) as server, listening(road) as node:
        done = p2pa("call", "--proxy", url(kind, server, user), node.address, "echo", "hello")
        assert (done.returncode, done.stdout, done.stderr) == (DONE, "hello", "")
        assert came_from(node) == PROXY_EXIT
        server.wait_for_log(kind.connected(port_of(node)))


@PROXIES
def test_a_proxy_carries_more_than_fits_in_its_buffers(kind, tmp_path):
    with kind.start(tmp_path / "proxy") as server, listening() as node:
        data = bytes(range(256)) * (16 << 10)
        done = p2pa("call", "--proxy", url(kind, server), node.address, "echo", "-", stdin=data, text=False)
        assert done.returncode == DONE, done.stderr
        assert done.stdout == data


@PROXIES
def test_the_proxy_may_be_named_by_the_environment(kind, tmp_path, monkeypatch):
    with kind.start(tmp_path / "proxy", with_user=True) as server, listening() as node:
        monkeypatch.setitem(os.environ, "P2PA_PROXY", url(kind, server, kind.user))
        assert p2pa("ping", "-n", "1", node.address).returncode == DONE
        assert came_from(node) == PROXY_EXIT


@PROXIES
def test_a_node_keeps_its_connection_through_the_proxy(kind, tmp_path):
    with kind.start(tmp_path / "proxy") as server, listening() as node:
        with Node("--proxy", url(kind, server), "--connect", node.address, listen=f"/ip4/{LOOPBACK}/tcp/0") as other:
            assert node.event("connected")["address"].startswith(f"/ip4/{PROXY_EXIT}/")
            assert node.event("identified")["peer"] == other.peer


@PROXIES
def test_a_wrong_password_is_refused(kind, tmp_path):
    with kind.start(tmp_path / "proxy", with_user=True) as server:
        check_refused(kind, server, kind.wrong_password, "refused", user="agent:wrong@")


@PROXIES
def test_a_proxy_that_wants_a_password_refuses_those_without(kind, tmp_path):
    with kind.start(tmp_path / "proxy", with_user=True) as server:
        check_refused(kind, server, kind.no_password, "proxy: wants credentials")


def test_a_port_that_the_proxy_forbids(tmp_path):
    with Tinyproxy.start(tmp_path / "proxy", more="ConnectPort 443") as server:
        check_refused(Tinyproxy, server, 403, "http proxy: ")


@PROXIES
def test_nobody_where_the_proxy_connects_to(kind, tmp_path):
    with kind.start(tmp_path / "proxy") as server:
        check_refused(kind, server, kind.nobody_there, "proxy: ", port=free_port())


@PROXIES
def test_no_proxy_at_its_address(kind, tmp_path):
    with kind.start(tmp_path / "proxy") as server:
        pass
    with listening() as node:
        done = p2pa("ping", "-n", "1", "--proxy", url(kind, server), node.address)
        assert (done.returncode, done.stdout) == (UNREACHABLE, "")
        assert "through the proxy at 127.0.0.1:" in done.stderr and "the proxy refuses" in done.stderr


@PROXIES
def test_what_the_proxy_cannot_carry_does_not_go_around_it(kind, tmp_path):
    with kind.start(tmp_path / "proxy") as server, Node(listen=QUIC) as node:
        done = p2pa("ping", "-n", "1", "--proxy", url(kind, server), node.address)
        assert (done.returncode, done.stdout) == (UNREACHABLE, "")
        _, output, _ = node.end()
        assert '"connected"' not in output


@PROXIES
def test_the_peer_behind_a_proxy_is_still_proven(kind, tmp_path):
    with kind.start(tmp_path / "proxy") as server, listening() as node:
        done = p2pa("ping", "-n", "1", "--proxy", url(kind, server), node.address.replace(node.peer, STRANGER))
        assert done.returncode == UNREACHABLE
        assert "another node answers at this address" in done.stderr


@PROXIES
def test_an_agent_behind_nginx_is_reached_through_a_proxy(kind, agent, certificate, tmp_path):
    with kind.start(tmp_path / "proxy") as server, nginx(tmp_path / "nginx", certificate, EXAMPLE, agent.port) as front:
        address = f"/ip4/{LOOPBACK}/tcp/{front.port}/tls/ws/p2p/{agent.peer}"
        done = p2pa("call", "--proxy", url(kind, server), "--web-roots", str(certificate.root), address, "hello", "node")
        assert (done.returncode, done.stdout, done.stderr) == (DONE, "hello, node", "")
        front.wait_for_log(rf'{PROXY_EXIT} .*"GET / HTTP/1.1" 101 ')
