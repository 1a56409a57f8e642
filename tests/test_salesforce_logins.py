"""Logging in to Salesforce: which login the variables make, where it goes, and how often."""

import pytest
from doubles.salesforce import Salesforce
from salesforce_streams import contacts, keys, notes, read, stream

from connectors.base import SourceMisconfigured, SourceRefused, SourceUnreachable
from connectors.salesforce import Variables
from connectors.salesforce.address import address_of
from connectors.salesforce.login import login_of
from connectors.variables import VariablesInvalid

CLIENT = {"sf_login_url": "acme", "sf_client_id": "3MVG9", "sf_client_secret": "SECRET-WORD"}
SOAP = {"sf_login_url": "login", "sf_username": "a@b.example", "sf_password": "x"}
JWT = {"sf_login_url": "acme", "sf_client_id": "3MVG9", "sf_username": "a@b.example"}
PEM = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----"


@pytest.fixture(scope="module")
def org():
    with Salesforce() as org:
        contacts(org, 3)
        yield org


def made(**given):
    return login_of(Variables(_env_file=None, **given))


def complaint(**given):
    with pytest.raises(SourceMisconfigured) as raised:
        made(**given)
    return str(raised.value)


@pytest.mark.parametrize(
    ("pasted", "host"),
    [
        ("https://acme.my.salesforce.com", "acme.my.salesforce.com"),
        ("acme.my.salesforce.com/", "acme.my.salesforce.com"),
        (" HTTPS://Acme.My.Salesforce.com/lightning/page/home ", "acme.my.salesforce.com"),
        ("https://acme.lightning.force.com/lightning/o/Contact/list?filterName=Recent", "acme.my.salesforce.com"),
        ("https://acme--uat.sandbox.lightning.force.com", "acme--uat.sandbox.my.salesforce.com"),
        ("https://acme.my.salesforce-setup.com/lightning/setup", "acme.my.salesforce.com"),
        ("acme", "acme.my.salesforce.com"),
        ("acme.my", "acme.my.salesforce.com"),
        ("acme--uat", "acme--uat.sandbox.my.salesforce.com"),
        ("acme--uat.sandbox.my", "acme--uat.sandbox.my.salesforce.com"),
        ("acme.develop.lightning.force.com", "acme.develop.my.salesforce.com"),
        ("login", "login.salesforce.com"),
        ("https://test.salesforce.com", "test.salesforce.com"),
    ],
)
def test_whatever_people_paste_becomes_the_host_of_the_api(pasted, host):
    address = address_of(pasted, "SF_LOGIN_URL")
    assert (address.host, address.origin, address.foreign) == (host, f"https://{host}", False)


@pytest.mark.parametrize("pasted", ["http://127.0.0.1:8080", "http://localhost:8080/services", "127.0.0.1:8080"])
def test_this_machine_may_be_spoken_to_in_plain_http(pasted):
    address = address_of(pasted, "SF_LOGIN_URL")
    assert address.foreign
    assert address.origin.startswith("http://")


@pytest.mark.parametrize(
    "pasted",
    [
        "https://salesforce.com.evil.example", "https://acme.my.salesforce.com@evil.example", "https://evil.example",
        "http://acme.my.salesforce.com", "https://evil.example/.my.salesforce.com", "ftp://acme.my.salesforce.com",
        "https://acme.my.salesforce.com\\@evil.example", "https://acme my.salesforce.com", "https://", "https://[::1",
        "https://evil.example#.salesforce.com", "https://acme.my.salesforce.com:8443", "https://àcme.my.salesforce.com",
    ],
)  # fmt: skip
def test_credentials_go_to_no_other_host(pasted):
    with pytest.raises(SourceMisconfigured) as raised:
        address_of(pasted, "EU_SF_LOGIN_URL")
    assert "EU_SF_LOGIN_URL" in str(raised.value)


def test_a_gateway_is_taken_when_it_is_allowed():
    address = address_of("https://gateway.acme.example:8443/", "SF_LOGIN_URL", frozenset({"gateway.acme.example"}))
    assert address.origin == "https://gateway.acme.example:8443"


def test_the_variable_for_further_hosts_is_the_one_of_the_application(monkeypatch, tmp_path):
    monkeypatch.setenv("MEMSYNC_ALLOW_HOSTS", "other.example, Gateway.acme.example")
    monkeypatch.setenv("EU_SF_LOGIN_URL", "https://gateway.acme.example")
    monkeypatch.setenv("EU_SF_CLIENT_ID", "3MVG9")
    monkeypatch.setenv("EU_SF_CLIENT_SECRET", "SECRET-WORD")
    login = login_of(Variables.load("EU", tmp_path / ".env"), "EU_")
    assert login.address.foreign
    assert login.variables == "EU_SF_CLIENT_ID, EU_SF_CLIENT_SECRET"


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        (CLIENT, "client credentials"),
        ({**JWT, "sf_private_key": PEM}, "JWT bearer"),
        ({**JWT, "sf_private_key": PEM.replace("\n", "\\n"), "sf_login_url": "test"}, "JWT bearer"),
        ({"sf_access_token": "00D!AQ", "sf_instance_url": "acme.my.salesforce.com"}, "session"),
        ({"sf_access_token": "00D!AQ", "sf_login_url": "acme.my.salesforce.com"}, "session"),
        ({**SOAP, "sf_security_token": "y"}, "SOAP password"),
        (SOAP, "SOAP password"),
        ({**CLIENT, "sf_username": "a@b.example"}, "client credentials"),
    ],
)
def test_each_complete_set_of_variables_is_a_login(given, kind):
    assert made(**given).kind == kind


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "no login of Salesforce is set"),
        ({"sf_client_id": "3MVG9"}, "SF_CLIENT_ID is set, and SF_CLIENT_SECRET is not"),
        ({"sf_username": "a@b.example"}, "SF_USERNAME is set, and SF_PASSWORD is not"),
        ({"sf_username": "a", "sf_security_token": "x"}, "needs SF_LOGIN_URL, SF_USERNAME, SF_PASSWORD, in the env"),
        ({"sf_client_id": "3MVG9", "sf_private_key": PEM}, "SF_CLIENT_ID, SF_PRIVATE_KEY are set, and SF_USERNAME is"),
        ({"sf_client_id": "3MVG9", "sf_username": "a"}, "and SF_PRIVATE_KEY is not: the login by JWT needs"),
        ({**CLIENT, "sf_username": "a@b.example", "sf_password": "x"}, "two logins are set"),
        ({**CLIENT, "sf_access_token": "00D!AQ"}, "two logins are set"),
        ({**CLIENT, "sf_login_url": "login"}, "does not work at login.salesforce.com"),
        ({**CLIENT, "sf_login_url": None}, "SF_LOGIN_URL is not set"),
        ({"sf_access_token": "00D!AQ"}, "SF_INSTANCE_URL is not set"),
        ({**CLIENT, "sf_client_secret": "SECRET WORD"}, "SF_CLIENT_SECRET: found blanks"),
        ({**JWT, "sf_private_key": "/run/key.pem"}, "SF_PRIVATE_KEY_FILE"),
        ({**CLIENT, "sf_password": "x"}, "SF_PASSWORD: set beside the login by client credentials"),
        ({**CLIENT, "sf_password": "x", "sf_security_token": "y"}, "SF_PASSWORD, SF_SECURITY_TOKEN: set beside"),
        ({**CLIENT, "sf_private_key": PEM}, "SF_PRIVATE_KEY: set beside"),
        ({**SOAP, "sf_client_id": "3MVG9"}, "SF_CLIENT_ID: set beside the login with a password"),
        ({**SOAP, "sf_login_url": None}, "SF_LOGIN_URL is not set; expected the org's My Domain"),
        ({**JWT, "sf_private_key": PEM, "sf_login_url": None}, "or `login` (`test` for sandboxes)"),
    ],
)  # fmt: skip
def test_a_wrong_combination_is_named_without_showing_a_secret(given, said):
    found = complaint(**given)
    assert said in found
    assert "SECRET" not in found.replace("SF_CLIENT_SECRET", "")


def test_no_secret_shows_in_a_repr():
    for given in (
        CLIENT,
        {**SOAP, "sf_username": "ann@b.example", "sf_password": "SECRET-WORD", "sf_security_token": "SECRET"},
    ):
        shown = repr(made(**given)) + repr(Variables(_env_file=None, **given))
        assert "SECRET" not in shown
        assert "ann@" not in shown


@pytest.mark.parametrize("given", [{}, {"sf_client_id": "3MVG9"}, {**CLIENT, "sf_login_url": None}])
def test_what_is_missing_is_said_with_where_to_put_it(given):
    assert ".env in this folder" in complaint(**given)


def test_a_user_name_that_is_not_needed_is_mentioned_by_a_check(org):
    given = {"sf_login_url": org.url, "sf_client_id": org.client_id, "sf_client_secret": org.client_secret}
    with stream(org, variables=Variables(_env_file=None, **given, sf_username="a@b.example")) as connector:
        assert any("SF_USERNAME is set and not needed" in note for note in connector.check().notes)


def test_an_address_where_nobody_is_names_its_variable():
    with Salesforce() as gone:
        given = {"sf_login_url": gone.url, "sf_client_id": "x", "sf_client_secret": "y"}
    with Salesforce() as org:
        login = {"sf_login_url": org.url, "sf_client_id": org.client_id, "sf_client_secret": org.client_secret}
        for name, more in (("SF_LOGIN_URL", given), ("SF_INSTANCE_URL", {**login, "sf_instance_url": gone.url})):
            with pytest.raises(SourceUnreachable, match=f"the connection is refused: check the address in {name}"):
                read(org, variables=Variables(_env_file=None, **more))


def test_a_session_that_another_org_does_not_take_names_the_variable_that_led_there():
    with Salesforce() as front, Salesforce() as back:
        login = {"sf_login_url": front.url, "sf_client_id": front.client_id, "sf_client_secret": front.client_secret}
        with pytest.raises(SourceRefused, match="as SF_INSTANCE_URL says"):
            read(front, variables=Variables(_env_file=None, **login, sf_instance_url=back.url))


def test_a_version_that_is_none_is_told_in_plain_words(monkeypatch, tmp_path):
    monkeypatch.setenv("SF_API_VERSION", "latest")
    with pytest.raises(VariablesInvalid) as raised:
        Variables.load(env_file=tmp_path / ".env")
    assert str(raised.value) == "SF_API_VERSION: expected a version such as 62.0, 47.0 at least"


@pytest.mark.parametrize("version", ["v62.0", "62", "62.0"])
def test_the_version_is_taken_however_it_is_written(version):
    assert made(**CLIENT, sf_api_version=version).version == "62.0"


def test_client_credentials_open_a_session(org):
    assert len(keys(read(org))) == 3


def test_a_private_key_opens_a_session(org):
    jwt = {"sf_client_id": org.client_id, "sf_private_key": org.private_key, "sf_username": org.username}
    assert len(keys(read(org, variables=Variables(_env_file=None, sf_login_url=org.url, **jwt)))) == 3


def test_a_key_that_is_none_is_named_and_not_shown(org):
    jwt = {"sf_client_id": org.client_id, "sf_private_key": PEM, "sf_username": org.username}
    with pytest.raises(SourceMisconfigured, match="SF_PRIVATE_KEY: not a usable RSA private key") as raised:
        read(org, variables=Variables(_env_file=None, sf_login_url=org.url, **jwt))
    assert "MIIB" not in str(raised.value)


def test_a_session_from_elsewhere_is_used_as_it_is(org):
    before = org.calls["token"]
    session = Variables(_env_file=None, sf_instance_url=org.url, sf_access_token=org.access_token)
    assert len(keys(read(org, variables=session))) == 3
    assert org.calls["token"] == before


def test_a_password_still_works_and_its_retirement_is_told(org):
    soap = {"sf_username": org.username, "sf_password": org.password, "sf_security_token": org.security_token}
    given = Variables(_env_file=None, sf_login_url=org.url, sf_api_version="66.0", **soap)
    pages = read(org, variables=given)
    assert len(keys(pages)) == 3
    assert any("Summer '27" in note for note in notes(pages))
    with stream(org, variables=given) as connector:
        assert any("Summer '27" in note for note in connector.check().notes)


def test_a_refused_password_names_the_token_and_what_comes_of_this_login(org):
    given = {"sf_login_url": org.url, "sf_username": org.username, "sf_password": org.password}
    with pytest.raises(SourceRefused) as raised:
        read(org, variables=Variables(_env_file=None, **given, sf_security_token="wrong"))
    said = str(raised.value)
    for part in ("INVALID_LOGIN", "SF_USERNAME, SF_PASSWORD, SF_SECURITY_TOKEN", "trusted IP ranges", "Summer '27"):
        assert part in said
    assert org.password not in said


def test_a_password_is_told_to_be_of_no_use_where_soap_logins_are_off():
    with Salesforce(soap_login=False) as org:
        soap = {"sf_username": org.username, "sf_password": org.password, "sf_security_token": org.security_token}
        with pytest.raises(SourceRefused, match="use client credentials or JWT") as raised:
            read(org, variables=Variables(_env_file=None, sf_login_url=org.url, **soap))
    assert org.password not in str(raised.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sf_client_secret": "WRONG-SECRET"}, "invalid_client"),
        ({"sf_client_id": "nobody"}, "client identifier invalid"),
    ],
)
def test_a_refused_login_names_the_variables_and_is_not_tried_again(org, change, said):
    before = org.calls["token"]
    given = {"sf_login_url": org.url, "sf_client_id": org.client_id, "sf_client_secret": org.client_secret} | change
    with pytest.raises(SourceRefused, match=said) as raised:
        read(org, variables=Variables(_env_file=None, **given))
    assert "SF_CLIENT_ID, SF_CLIENT_SECRET" in str(raised.value)
    assert "WRONG-SECRET" not in str(raised.value)
    assert org.calls["token"] == before + 1


def test_a_session_that_ends_in_the_middle_is_renewed_and_nothing_is_lost():
    with Salesforce(page_size=200) as org:
        ids = contacts(org, 1000)
        org.expire_sessions(after=4)
        assert keys(read(org)) == ids
        assert org.calls["token"] == 2


def test_sessions_that_are_never_taken_end_after_two_new_ones(org):
    before = org.calls["token"]
    org.fail("query", "INVALID_SESSION_ID", times=None)
    with pytest.raises(SourceRefused, match="not even a new one"):
        read(org)
    org.mend()
    assert org.calls["token"] - before == 3


@pytest.mark.parametrize("body", ["<html>expired</html>", {"error": "x"}, ""])
def test_an_end_of_session_in_any_form_is_understood(org, body):
    org.fail("query", status=401, body=body)
    assert len(keys(read(org))) == 3
    org.mend()


def test_a_given_session_that_ended_asks_for_a_new_one(org):
    session = Variables(_env_file=None, sf_instance_url=org.url, sf_access_token="00Dxx0000001gPF!over")
    with pytest.raises(SourceRefused, match="SF_ACCESS_TOKEN") as raised:
        read(org, variables=session)
    assert "!over" not in str(raised.value)


def test_a_login_that_does_not_answer_in_json_is_waited_out_and_then_told(org):
    org.fail("token", status=503, body="<html>Down for maintenance</html>", times=2)
    waits = []
    assert len(keys(read(org, waits=waits))) == 3
    assert len(waits) == 2
    org.fail("token", status=503, body="<html>Down for maintenance</html>", times=None)
    with pytest.raises(SourceUnreachable, match="gave up"):
        read(org)
    org.mend()


def test_redirects_are_not_followed(org):
    org.fail("query", status=302, body="", headers={"Location": "http://127.0.0.1:9/elsewhere"})
    with pytest.raises(SourceMisconfigured, match="not followed"):
        read(org)
    org.mend()


def test_the_next_page_is_asked_of_the_same_host_wherever_it_is_said_to_be():
    with Salesforce(page_size=200) as org:
        ids = contacts(org, 201)
        answer = {
            "totalSize": 201,
            "done": False,
            "nextRecordsUrl": "https://evil.example/services/data/v62.0/query/0r8xx3Kd0000001AAA-200",
        }
        rows = [{"Id": one, "IsDeleted": False, "SystemModstamp": "2024-03-04T05:06:07.000+0000"} for one in ids[:200]]
        read(org)  # makes the locator that is named
        org.fail("query", status=200, body={**answer, "records": rows})
        assert keys(read(org)) == ids
        org.fail("query", status=200, body={**answer, "records": rows, "nextRecordsUrl": "//evil.example/x"})
        with pytest.raises(SourceUnreachable, match="an address that is none of the API's"):
            read(org)


def test_a_stand_in_may_serve_its_data_at_another_port_than_its_logins():
    with Salesforce() as front, Salesforce() as back:
        ids = contacts(back, 2)
        back.sessions = front.sessions
        moved = {"access_token": front.access_token, "instance_url": back.url, "id": "x", "token_type": "Bearer"}
        front.fail("token", status=200, body=moved)
        assert keys(read(front)) == ids
        login = {"sf_client_id": front.client_id, "sf_client_secret": front.client_secret}
        given = Variables(_env_file=None, sf_login_url=front.url, sf_instance_url=back.url, **login)
        assert keys(read(front, variables=given)) == ids
        assert front.calls["query"] == 0


def test_a_login_that_leads_to_a_host_of_someone_else_is_not_followed(monkeypatch):
    from connectors.salesforce import logging_in, transport

    def stolen(**_):
        return "token", "acme.my.salesforce.com.evil.example"

    monkeypatch.setattr(logging_in, "SalesforceLogin", stolen)
    with pytest.raises(SourceRefused, match="not Salesforce's"):
        transport.Transport(made(**CLIENT)).open()
