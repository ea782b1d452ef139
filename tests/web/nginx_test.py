"""Our node dials through nginx: TLS ends there, WebSocket goes on to the agent."""
import pytest
from agent import Agent
from servers import LOOPBACK, nginx
from tool import DONE, UNREACHABLE, Node, p2pa

KEY = f"/key/swarm/psk/1.0.0/\n/base16/\n{'5a' * 32}\n"


@pytest.fixture
def behind_nginx(certificate, tmp_path):
    """Starts nginx in front of an agent; yields it and the address by which the agent is reached now."""
    folders = (tmp_path / f"nginx-{number}" for number in range(9))

    def start(agent, shown=certificate):
        server = nginx(next(folders), shown, tmp_path, agent.port)
        return server, f"/ip4/{LOOPBACK}/tcp/{server.port}/tls/ws/p2p/{agent.peer}"
    return start


def test_a_node_calls_an_agent_behind_nginx(behind_nginx, agent, certificate):
    server, address = behind_nginx(agent)
    with server:
        done = p2pa("call", "--web-roots", str(certificate.root), address, "hello", "node")
        assert (done.returncode, done.stdout, done.stderr) == (DONE, "hello, node", "")
        server.wait_for_log('"GET / HTTP/1.1" 101 ')


def test_a_node_hears_more_than_nginx_buffers(behind_nginx, certificate):
    with Node("--perf", listen=f"/ip4/{LOOPBACK}/tcp/0/ws") as node:
        node.port = int(node.address.split("/")[4])
        server, address = behind_nginx(node)
        with server:
            data = bytes(range(256)) * (16 << 10)
            done = p2pa("call", "--web-roots", str(certificate.root), address, "echo", "-", stdin=data, text=False)
            assert done.returncode == DONE, done.stderr
            assert done.stdout == data


@pytest.mark.parametrize("roots", ["the system's", "another's"])
def test_a_node_does_not_believe_a_certificate_of_others(behind_nginx, agent, foreign_certificate, roots):
    server, address = behind_nginx(agent)
    with server:
        believed = [] if roots == "the system's" else ["--web-roots", str(foreign_certificate.root)]
        done = p2pa("-v", "call", *believed, address, "hello", "node")
        assert (done.returncode, done.stdout) == (UNREACHABLE, "")
        assert "bad_certificate" in done.stderr


def test_a_node_is_told_by_nginx_that_the_agent_is_gone(behind_nginx, certificate):
    with Agent() as gone:
        server, address = behind_nginx(gone)
    with server:
        done = p2pa("-v", "call", "--web-roots", str(certificate.root), address, "hello", "node")
        assert done.returncode == UNREACHABLE
        assert "WebSocket: the server's status (detail 502)" in done.stderr


def test_nginx_needs_no_key_of_a_private_network_behind_it(behind_nginx, certificate, tmp_path):
    key = tmp_path / "swarm.key"
    key.write_text(KEY)
    with Node("--network-key", str(key), listen=f"/ip4/{LOOPBACK}/tcp/0/ws") as node:
        node.port = int(node.address.split("/")[4])
        server, address = behind_nginx(node)
        with server:
            call = ["call", "--web-roots", str(certificate.root), address, "echo", "hello"]
            assert p2pa(*call, "--network-key", str(key)).stdout == "hello"
            assert p2pa(*call).returncode == UNREACHABLE


def test_a_node_ends_tls_itself_for_those_without_nginx(certificate, foreign_certificate):
    with Node("--web-certificate", str(certificate.chain), "--web-key", str(certificate.key),
              listen=f"/ip4/{LOOPBACK}/tcp/0/tls/ws") as node:
        assert p2pa("ping", "-n", "1", "--web-roots", str(certificate.root), node.address).returncode == DONE
        assert p2pa("ping", "-n", "1", "--web-roots", str(foreign_certificate.root), node.address).returncode == UNREACHABLE
