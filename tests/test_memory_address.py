"""Which addresses may be sent the key."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.memory.address import check_address
from sync.memory.errors import DestinationMisconfigured

OURS = frozenset({"memory.example.com"})


@pytest.mark.parametrize(
    "url",
    [
        "https://agent.personize.ai",
        "https://personize.ai",
        "https://eu.agent.personize.ai:8443",
        "HTTPS://AGENT.PERSONIZE.AI",
        "https://memory.example.com",
        "http://127.0.0.1:8099",
        "http://localhost:8099",
        "http://[::1]:8099",
        "https://localhost",
    ],
)
def test_accepted(url):
    assert check_address(f" {url}/ ", OURS) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "agent.personize.ai",
        "//agent.personize.ai",
        "https://",
        "https:///path",
        "ftp://agent.personize.ai",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://agent.personize.ai",
        "http://memory.example.com",
        "https://evil.example",
        "https://personize.ai.evil.example",
        "https://evilpersonize.ai",
        "https://sub.memory.example.com",
        "https://evil.example/agent.personize.ai",
        "https://agent.personize.ai@evil.example",
        "https://user:word@agent.personize.ai",
        "https://@agent.personize.ai",
        "https://evil.example#.personize.ai",
        "https://evil.example?.personize.ai",
        "https://evil.example\\.personize.ai",
        "https://evil.example\\@agent.personize.ai",
        "https://evil.example%2f.personize.ai",
        "https://evil.example%00.personize.ai",
        "https://evil.example .personize.ai",
        "https://agent.perso\nnize.ai",
        "https://agent.personize.ai\t.evil.example",
        "https://agent\u3002personize\uff0eai",
        "https://\u0430gent.personize.ai",
        "https://agent.personize.ai.",
        "https://agent..personize.ai",
        "https://agent.personize.ai:99999",
        "https://agent.personize.ai:x",
        "https://agent.personize.ai:0",
        "https://[::1",
        "https://[agent.personize.ai]",
        "http://169.254.169.254",
        "https://169.254.169.254",
        "http://[::ffff:127.0.0.1]",
        "https://[::ffff:169.254.169.254]",
        "http://2130706433",
        "https://2130706433",
        "http://0x7f000001",
        "http://017700000001",
        "http://127.1",
        "http://0.0.0.0",
        "http://0",
        "https://10.0.0.1",
        "http://localhost.evil.example",
        "http://127.0.0.1.nip.io",
        "http://127.0.0.1@evil.example",
        "http://localhost#@evil.example",
    ],
)
def test_refused(url):
    with pytest.raises(DestinationMisconfigured, match="PERSONIZE_BASE_URL"):
        check_address(url, OURS)


def test_the_remedy_names_the_variable_that_allows_a_host():
    with pytest.raises(DestinationMisconfigured, match=r"set MEMSYNC_ALLOW_HOSTS=memory\.example\.org$"):
        check_address("https://memory.example.org", frozenset())


@pytest.mark.parametrize(
    "url", ["sk_live_CANARY", "ftp://ada:CANARY@host", "https://ada:CANARY@host", "https://h?CANARY"]
)
def test_a_secret_in_the_wrong_place_is_not_shown(url):
    with pytest.raises(DestinationMisconfigured) as caught:
        check_address(url, OURS)
    assert "CANARY" not in str(caught.value)


@given(st.text(max_size=80) | st.from_regex(r"https?://[ -~]{0,40}\.personize\.ai[ -~]{0,10}", fullmatch=True))
def test_no_text_breaks_it(url):
    with suppress(DestinationMisconfigured):
        check_address(url, frozenset())
