"""What the wire can do to a call, on real sockets."""

import gzip
import json
import socket
import time

import pytest
from doubles import memory_server as server
from doubles.memory_server import MemoryServer

from sync.memory.client import MemoryClient
from sync.memory.errors import DestinationError, DestinationMisconfigured, DestinationUnavailable
from sync.memory.http import Deadlines, Http

KEY = "sk_test_CANARYcanary"
HALF_A_SECOND = Deadlines(connect=0.5, total=0.5)


def failing_batch(double, deadlines=HALF_A_SECOND, body=b'{"rows":[]}'):
    http = Http(double.url, KEY, deadlines)
    try:
        with pytest.raises(DestinationError) as caught:
            MemoryClient(http, "v1").batch(body)
    finally:
        http.close()
    return caught.value


WRONG = {
    "html": (server.html(), "Welcome"),
    "empty body": (server.answer(b""), "an empty body"),
    "data null": (server.answer(b'{"success": true, "data": null}'), "object under data"),
    "null": (server.answer(b"null"), "success: true"),
    "list": (server.answer(b"[]"), "success: true"),
    "data list": (server.answer(b'{"success": true, "data": []}'), "object under data"),
    "success as text": (server.answer(b'{"success": "true", "data": {"eventId": "e"}}'), "success: true"),
    "no event": (server.success({"queued": 3}), "eventId"),
    "blank event": (server.success({"eventId": " "}), "eventId"),
    "event of dots": (server.success({"eventId": ".."}), "eventId"),
    "duplicate names": (
        server.answer(b'{"success": false, "success": true, "data": {"eventId": "e"}}'),
        "success: true",
    ),
    "duplicate event": (server.answer(b'{"success": true, "data": {"eventId": "a", "eventId": "b"}}'), "success: true"),
    "trailing garbage": (server.answer(b'{"success": true, "data": {"eventId": "e"}} <!-- -->'), "success: true"),
    "not a number": (server.answer(b'{"success": true, "data": {"eventId": NaN}}'), "success: true"),
    "too deep": (server.answer(b"[" * 5000), "success: true"),
    "truncated length": (server.truncated_length(), "RemoteProtocolError"),
    "truncated chunks": (server.truncated_chunks(), "RemoteProtocolError"),
    "bad status line": (server.raw(b"HTTZ/9 yes\r\n\r\n"), "RemoteProtocolError"),
    "no answer": (server.hang_up(), "RemoteProtocolError"),
    "reset": (server.reset(), "ReadError"),
    "bad gzip": (server.bad_gzip(), "unpacked"),
    "unknown encoding": (server.answer(b"abc", Content_Encoding="zstd"), "zstd"),
    "silence": (server.silence(), "within 0.5 s"),
    "dripping head": (server.drip(b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"), "within 0.5 s"),
    "dripping body": (server.drip(b"HTTP/1.1 200 OK\r\n\r\n", b" "), "within 0.5 s"),
    "dripping chunks": (
        server.drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        "within 0.5 s",
    ),
    "502": (server.html(502), "HTTP 502"),
    "504": (server.html(504), "HTTP 504"),
}


@pytest.mark.parametrize("name", WRONG)
def test_every_unusable_answer_is_ambiguous_and_named(name):
    reply, word = WRONG[name]
    began = time.monotonic()
    with MemoryServer(reply) as double:
        error = failing_batch(double)
        assert len(double.ledger) == 1
    assert isinstance(error, DestinationUnavailable)
    assert error.ambiguous
    assert word in str(error)
    assert time.monotonic() - began < 1.5
    assert KEY not in str(error)


@pytest.mark.parametrize("reply", [server.gzip_bomb(), server.endless_body()], ids=["gzip bomb", "endless body"])
def test_an_answer_without_measure_is_given_up_at_16_megabytes(reply):
    with MemoryServer(reply) as double:
        error = failing_batch(double, Deadlines(total=20))
    assert isinstance(error, DestinationUnavailable)
    assert "larger than 16 MB" in str(error)


def test_a_compressed_answer_that_nobody_asked_for_is_read():
    body = gzip.compress(json.dumps({"success": True, "data": {"eventId": "e-7"}}).encode())
    with MemoryServer(server.answer(body, Content_Encoding="gzip")) as double:
        http = Http(double.url, KEY)
        assert MemoryClient(http, "v1").batch(b"{}")["eventId"] == "e-7"
        http.close()
        assert double.ledger[0].headers["accept-encoding"] == "identity"


def test_the_deadline_holds_while_sending_to_a_server_that_never_reads():
    began = time.monotonic()
    with MemoryServer(reads=False) as double:
        error = failing_batch(double, body=b"x" * 50_000_000)
        assert isinstance(error, DestinationUnavailable)
        assert error.ambiguous
        assert time.monotonic() - began < 1.5


def test_the_deadline_starts_anew_with_every_call():
    with MemoryServer() as double:
        http = Http(double.url, KEY, Deadlines(total=0.4))
        for _ in range(3):
            MemoryClient(http, "v1").batch(b"{}")
            time.sleep(0.2)
        http.close()
        assert len(double.ledger) == 3


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status):
    with MemoryServer() as elsewhere, MemoryServer(server.redirect(status, elsewhere.url + "/x")) as double:
        error = failing_batch(double)
        assert not elsewhere.ledger
    assert isinstance(error, DestinationMisconfigured)
    assert "redirected" in str(error)


def test_a_redirect_does_not_show_what_its_address_holds():
    with MemoryServer(server.redirect(302, f"https://jane@example.org/?key={KEY}")) as double:
        error = failing_batch(double)
    assert "CANARY" not in str(error)
    assert "jane" not in str(error)


def test_an_unreachable_port_is_not_ambiguous():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound but not listening: refuses
        http = Http(f"http://127.0.0.1:{taken.getsockname()[1]}", KEY)
        with pytest.raises(DestinationUnavailable, match="connection refused") as caught:
            http.call("GET", "/api/v1/me")
        http.close()
    assert not caught.value.ambiguous


@pytest.mark.parametrize("host", ["memory.invalid", "a" * 64 + ".invalid"])
def test_an_unknown_host_is_not_ambiguous(host):
    http = Http(f"http://{host}", KEY)
    with pytest.raises(DestinationUnavailable, match="no such host") as caught:
        http.call("GET", "/api/v1/me")
    http.close()
    assert not caught.value.ambiguous


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_never_sees_a_call_to_this_machine(name, monkeypatch):
    with MemoryServer() as proxy, MemoryServer() as double:
        monkeypatch.setenv(name, proxy.url)
        http = Http(double.url, KEY)
        MemoryClient(http, "v1").batch(b"{}")
        http.close()
        assert len(double.ledger) == 1
        assert not proxy.ledger


def test_a_call_to_another_machine_goes_through_the_proxy_of_the_environment(monkeypatch):
    with MemoryServer(server.raw(b"HTTP/1.1 403 Forbidden\r\n\r\n")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://ada:secret@127.0.0.1:{proxy.port}")
        http = Http("https://agent.personize.ai", KEY)
        with pytest.raises(DestinationUnavailable, match="proxy refused") as caught:
            http.call("GET", "/api/v1/me")
        http.close()
        assert proxy.ledger[0].method == "CONNECT"
        assert KEY not in str(proxy.ledger)
    assert not caught.value.ambiguous
    assert "secret" not in str(caught.value)


def test_a_proxy_that_cannot_be_used_is_told_without_its_password(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "socks5://ada:secret@127.0.0.1:1")
    with pytest.raises(DestinationMisconfigured, match="expected http://HOST:PORT") as caught:
        Http("https://agent.personize.ai", KEY)
    assert "secret" not in str(caught.value)


def test_a_key_that_a_server_sends_back_is_masked_in_what_is_read():
    with MemoryServer(server.success({"echo": f"you sent {KEY}"})) as double:
        http = Http(double.url, KEY)
        answer = http.call("GET", "/api/v1/me")
        http.close()
    assert KEY.encode() not in answer.body


def test_connections_are_kept_and_used_again():
    with MemoryServer() as double:
        http = Http(double.url, KEY)
        for _ in range(5):
            MemoryClient(http, "v1").batch(b"{}")
        assert len(double._threads) == 2  # the one that listens, and one connection
        http.close()


def test_the_request_carries_key_length_and_query():
    with MemoryServer() as double:
        http = Http(double.url + "/", KEY)
        http.call("POST", "/api/v1/x", b'{"rows":[]}', {"limit": 5, "nextToken": "a b&c"})
        http.close()
        received = double.ledger[0]
    assert received.path == "/api/v1/x?limit=5&nextToken=a+b%26c"
    assert received.headers["authorization"] == f"Bearer {KEY}"
    assert received.headers["content-length"] == "11"
    assert received.headers["host"] == f"127.0.0.1:{double.port}"
