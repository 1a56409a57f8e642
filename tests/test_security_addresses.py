"""Where keys may go: hosts, redirects and certificates, and who may look at the sandbox."""

from __future__ import annotations

import datetime
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from doubles import memory_server as server
from doubles.memory_api import MemoryApi
from fixtures_canary import Cage

from sync.sandbox import Sandbox, SandboxOptions

REFUSED = (
    "http://169.254.169.254",
    "https://169.254.169.254/latest/meta-data",
    "http://[fd00:ec2::254]",
    "https://[fe80::1]",
    "http://metadata.google.internal",
    "https://metadata.google.internal",
    "http://100.100.100.200",
    "https://10.0.0.1",
    "https://192.168.0.1",
    "http://2852039166",
    "http://0xa9fea9fe",
    "http://0251.0376.0251.0376",
    "http://169.254.43518",
    "http://2130706433",
    "http://127.1",
    "http://0",
    "http://0.0.0.0",
    "http://127.0.0.2",
    "http://127.0.0.1.",
    "http://localhost.",
    "http://[::]",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
    "https://[::ffff:169.254.169.254]",
    "https://[64:ff9b::a9fe:a9fe]",
    "https://agent.personize.ai@169.254.169.254",
    "https://x@agent.personize.ai",
    "https://agent.personize.ai.",
    "https://agent.personize.ai.evil.example",
    "https://evil.example/agent.personize.ai",
    "https://evil.example?agent.personize.ai",
    "https://evil.example#agent.personize.ai",
    "https://agent.personize.ai%2eevil.example",
    "http://agent.personize.ai",
    "//agent.personize.ai",
    "file:///etc/passwd",
    "gopher://127.0.0.1",
    "unix:///var/run/x.sock",
)


@pytest.mark.parametrize("url", REFUSED)
def test_no_key_goes_to_an_address_that_is_not_the_destination(
    url: str, cage: Cage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unexpected(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "create_connection", unexpected)
    monkeypatch.setattr(socket, "getaddrinfo", unexpected)
    cage.set(PERSONIZE_BASE_URL=url)
    ended = cage.memsync("run", "--wait", "0s")
    assert ended.code == 2, ended.err
    assert ended.err.count("\n") == 1
    assert "PERSONIZE_BASE_URL" in ended.err


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("name", ["me", "collections", "batch"])
def test_a_redirect_is_never_followed(status: int, name: str, cage: Cage, parrot: MemoryApi) -> None:
    with MemoryApi() as elsewhere:
        reply = server.redirect(status, f"{elsewhere.url}/api/v1/me")
        parrot.judge = lambda call: reply if call.name == name else None
        cage.set(PERSONIZE_BASE_URL=parrot.url)
        ended = cage.memsync("run", "--wait", "0s")
        assert not elsewhere.calls
    assert (ended.code, parrot.count(name)) == (2, 1)
    assert "redirected to" in ended.err


def test_a_place_that_an_answer_names_is_never_visited(cage: Cage, parrot: MemoryApi) -> None:
    with MemoryApi() as elsewhere:
        there = f"{elsewhere.url}/x"
        links = {"next": there, "link": there, "url": there, "nextToken": there, "statusUrl": there}
        parrot.judge = lambda call: server.success({"eventId": there, **links}) if call.name == "batch" else None
        cage.set(PERSONIZE_BASE_URL=parrot.url)
        cage.monkeypatch.setattr("state.delivery.FIRST_POLL", 0.0)
        cage.memsync("run", "--wait", "1s")
        assert not elsewhere.calls
    assert parrot.count("event") > 0


# Certificates


@pytest.fixture
def impostor(tmp_path: Path) -> Iterator[tuple[int, list[str]]]:
    """A TLS server with a certificate that it signed itself: its port, and what each connection brought it to."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = made.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (tmp_path / "cert.pem").write_bytes(certificate.public_bytes(pem))
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    listener, seen = socket.create_server(("127.0.0.1", 0)), []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                try:
                    with context.wrap_socket(connection, server_side=True) as secure:
                        seen.append(secure.recv(65536).decode("latin-1"))
                except OSError:
                    seen.append("")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1], seen
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def test_a_certificate_that_nobody_signed_is_refused_at_once_and_nothing_is_said_to_its_server(
    impostor: tuple[int, list[str]], cage: Cage
) -> None:
    port, seen = impostor
    cage.unset("SSL_CERT_FILE", "SSL_CERT_DIR")
    cage.set(PERSONIZE_BASE_URL=f"https://127.0.0.1:{port}", PYTHONHTTPSVERIFY="0", CURL_CA_BUNDLE="")
    began = time.monotonic()
    ended = cage.memsync("run", "--wait", "0s")
    assert time.monotonic() - began < 10
    assert ended.code == 2
    assert ended.err.count("\n") == 1
    assert "certificate is not trusted" in ended.err
    assert "SSL_CERT_FILE" in ended.err
    end = time.monotonic() + 30
    while not seen and time.monotonic() < end:  # the server hears of it later than the client
        time.sleep(0.01)
    assert seen == [""]
    cage.look_everywhere()


def test_a_certificate_of_an_authority_that_was_named_is_trusted(
    impostor: tuple[int, list[str]], cage: Cage, tmp_path: Path
) -> None:
    port, seen = impostor
    cage.set(PERSONIZE_BASE_URL=f"https://127.0.0.1:{port}", SSL_CERT_FILE=str(tmp_path / "cert.pem"))
    cage.monkeypatch.setattr("sync.destination.ATTEMPTS", 1)
    assert cage.memsync("run", "--wait", "0s").code == 5  # it hangs up without an answer
    assert any("GET /api/v1/me" in one for one in seen)


@pytest.mark.parametrize(("content", "found"), [(None, "no such file"), ("no PEM", "no certificates")])
def test_a_file_of_authorities_that_is_none_is_named_in_one_line(
    cage: Cage, tmp_path: Path, content: str | None, found: str
) -> None:
    file = tmp_path / "authorities.pem"
    if content is not None:
        file.write_text(content)
    cage.set(PERSONIZE_BASE_URL="https://127.0.0.1:9", SSL_CERT_FILE=str(file))
    ended = cage.memsync("run", "--wait", "0s")
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert f"SSL_CERT_FILE: {file}: {found}" in ended.err


# The sandbox


HOSTS = {
    "127.0.0.1": 200,
    "localhost:8099": 200,
    "LOCALHOST": 200,
    "evil.example": 403,
    "127.0.0.1.evil.example": 403,
    "localhost.evil.example": 403,
    "localhost.": 403,
    "169.254.169.254": 403,
    "evil.example:8099": 403,
    "[::ffff:127.0.0.1]": 403,
    "127.0.0.1@evil.example": 403,
    "": 403,
}


@pytest.mark.parametrize("path", ["/", "/records", "/batches", "/api/v1/me"])
def test_the_sandbox_answers_to_no_name_of_another_site(path: str) -> None:
    with Sandbox() as sandbox:
        for host, status in HOSTS.items():
            connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)
            connection.putrequest("GET", path, skip_host=True)
            connection.putheader("Host", host)
            connection.putheader("Authorization", "Bearer sk_test_1")
            connection.endheaders()
            answer = connection.getresponse()
            answer.read()
            connection.close()
            assert answer.status == status, host


def test_the_sandbox_listens_on_loopback_unless_told_otherwise() -> None:
    with Sandbox() as sandbox:
        assert SandboxOptions().host == sandbox._server.server_address[0] == "127.0.0.1"


def test_the_sandbox_lets_no_other_site_read_its_answers() -> None:
    with Sandbox() as sandbox:
        connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)
        headers = {"Origin": "https://evil.example", "Authorization": "Bearer sk_test_1"}
        for path in ("/", "/records", "/api/v1/me"):
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.getheader("Access-Control-Allow-Origin") is None
        connection.close()


def test_a_fault_of_the_sandbox_shows_its_lines_and_nothing_of_the_request(capfd: pytest.CaptureFixture[str]) -> None:
    with Sandbox() as sandbox:

        def broken(request: object) -> None:
            raise ValueError(f"cannot answer {request}")

        sandbox._service.answer = broken  # type: ignore[assignment]
        connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=10)
        connection.request("POST", "/api/v1/search", b'{"email": "quokka@bilby.example"}')
        assert connection.getresponse().read()
        connection.close()
    shown = "".join(capfd.readouterr())
    assert "in broken" in shown
    assert "quokka" not in shown
