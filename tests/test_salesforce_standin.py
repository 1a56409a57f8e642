"""The stand-in Salesforce: logins, describe, pages, records, and its form for the terminal."""

import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import takewhile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import jwt
import pytest
import requests
import simple_salesforce
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from doubles.salesforce import Salesforce, shapes
from salesforce_calls import DATA, Caller

JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class RouteTo(requests.adapters.HTTPAdapter):
    """Sends what is meant for https://*.salesforce.com to the stand-in."""

    def __init__(self, origin):
        self.origin = urlsplit(origin)
        super().__init__()

    def send(self, request, **more):
        parts = urlsplit(request.url)
        request.headers["Host"] = parts.netloc
        request.url = urlunsplit((self.origin.scheme, self.origin.netloc, parts.path, parts.query, ""))
        return super().send(request, **more)


@pytest.fixture
def routed(org):
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", RouteTo(org.url))
        yield session


def token(org, host=None, **form):
    headers = {"Host": host} if host else {}
    return requests.post(f"{org.url}/services/oauth2/token", data=form, headers=headers, timeout=10)


def assertion(org, key=None, **changes):
    claims = {"iss": org.client_id, "sub": org.username, "aud": "https://login.salesforce.com"}
    claims |= {"exp": str(int(time.time()) + 180)} | changes
    return token(org, grant_type=JWT_GRANT, assertion=jwt.encode(claims, key or org.private_key, "RS256"))


# Logins


def test_client_credentials_give_a_session_that_works(org):
    answer = token(org, grant_type="client_credentials", client_id=org.client_id, client_secret=org.client_secret)
    shapes.check(shapes.TOKEN, answer.json())
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert requests.get(org.url + DATA + "/limits", headers=bearer, timeout=10).status_code == 200
    assert org.calls == {"token": 1, "limits": 1}


@pytest.mark.parametrize(
    ("changes", "host", "error"),
    [
        ({"client_secret": "wrong"}, None, "invalid_client"),
        ({"client_id": "wrong"}, None, "invalid_client_id"),
        ({}, "login.salesforce.com", "invalid_grant"),
        ({"grant_type": "refresh_token"}, None, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "u", "password": "p"}, None, "invalid_grant"),
    ],
)
def test_a_wrong_token_request_is_refused_by_name(org, changes, host, error):
    form = {"grant_type": "client_credentials", "client_id": org.client_id, "client_secret": org.client_secret}
    answer = token(org, host, **(form | changes))
    assert answer.status_code in {400, 401}
    shapes.check(shapes.OAUTH_ERROR, answer.json())
    assert answer.json()["error"] == error


def test_a_signed_assertion_gives_a_session(org):
    shapes.check(shapes.TOKEN, assertion(org).json())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"aud": "https://elsewhere.example"}, "audience is invalid"),
        ({"sub": "someone@acme.example"}, "user hasn't approved this consumer"),
        ({"exp": "1000000000"}, "expired authorization code"),
        ({"iss": "another"}, "client identifier invalid"),
    ],
)
def test_an_assertion_with_a_wrong_claim_is_refused(org, changes, message):
    assert assertion(org, **changes).json()["error_description"] == message


def test_an_assertion_signed_with_another_key_is_refused(org):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    assert assertion(org, key=pem).json() == {"error": "invalid_grant", "error_description": "invalid assertion"}


def test_the_library_logs_in_by_client_credentials_jwt_and_soap(org, routed):
    consumer = {"consumer_key": org.client_id, "consumer_secret": org.client_secret, "domain": "acme.my"}
    by_soap = {"username": org.username, "password": org.password, "security_token": org.security_token}
    by_jwt = {"username": org.username, "consumer_key": org.client_id, "privatekey": org.private_key}
    for login in (consumer, by_soap, by_jwt):
        client = simple_salesforce.Salesforce(session=routed, **login)
        assert client.query("SELECT COUNT() FROM Contact")["totalSize"] == 0
        assert client.sf_instance == org.url.removeprefix("http://")
    assert (org.calls["token"], org.calls["soap"]) == (2, 1)


def test_soap_login_says_what_is_wrong(org, routed):
    with pytest.raises(simple_salesforce.SalesforceAuthenticationFailed, match="INVALID_LOGIN"):
        simple_salesforce.Salesforce(session=routed, username=org.username, password="no", security_token="no")


def test_soap_login_is_gone_from_version_65_and_can_be_off(routed):
    with Salesforce(soap_login=False) as org:
        for version in ("59.0", "65.0"):
            answer = requests.post(f"{org.url}/services/Soap/u/{version}", data="<x/>", timeout=10)
            assert answer.status_code == 500
            assert "<sf:exceptionCode>" in answer.text


def test_a_session_ends_by_time_by_command_and_after_some_calls(org, caller):
    org.expire_sessions(after=2)
    assert [caller.query("SELECT Id FROM Lead").status_code for _ in range(3)] == [200, 200, 401]
    caller.headers["Authorization"] = f"Bearer {org.access_token}"
    assert caller.query("SELECT Id FROM Lead").status_code == 200
    org.advance(timedelta(hours=2, seconds=1))
    answer = caller.query("SELECT Id FROM Lead")
    shapes.check(shapes.ERRORS, answer.json())
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (401, "INVALID_SESSION_ID")


# Versions, describe, limits


def test_versions_are_listed_without_a_session(org):
    listed = requests.get(f"{org.url}/services/data/", timeout=10).json()
    shapes.check(shapes.VERSIONS, listed)
    assert {"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"} in listed
    assert (listed[0]["version"], listed[-1]["version"]) == ("31.0", "67.0")


def test_a_retired_version_and_one_to_come_are_refused(caller):
    assert caller.call("GET", "/services/data/v30.0/limits").status_code == 410
    assert caller.call("GET", "/services/data/v99.0/limits").json()[0]["errorCode"] == "NOT_FOUND"


def test_every_describe_has_the_recorded_shape(org, caller):
    listed = caller.call("GET", "/sobjects/").json()
    shapes.check(shapes.DESCRIBE_GLOBAL, listed)
    for name in ("Contact", "Task", "EmailMessage", "Attachment", "LoginHistory"):
        shapes.check(shapes.DESCRIBE, caller.call("GET", f"/sobjects/{name}/describe").json(), name)


def field_of(caller, sobject, name):
    fields = caller.call("GET", f"/sobjects/{sobject}/describe").json()["fields"]
    return next((field for field in fields if field["name"] == name), None)


def test_describe_tells_free_text_compounds_and_lookups_apart(caller):
    said = field_of(caller, "Contact", "Description")
    assert (said["type"], said["length"], said["filterable"], said["compoundFieldName"]) == (
        "textarea", 32000, False, None,
    )  # fmt: skip
    street = field_of(caller, "Contact", "MailingStreet")
    assert (street["type"], street["filterable"], street["compoundFieldName"]) == ("textarea", True, "MailingAddress")
    who = field_of(caller, "Task", "WhoId")
    assert (who["referenceTo"], who["relationshipName"], who["polymorphicForeignKey"]) == (
        ["Contact", "Lead"], "Who", True,
    )  # fmt: skip


def test_custom_objects_and_fields_can_be_defined_and_hidden(org, caller):
    org.define(
        "Visit__c", "Report__c textarea 32000", "Guest__c reference ->Contact", "Code__c string 20 external unique"
    )
    org.define("Contact", "Account_Industry__c string formula:Account.Industry", "Secret__c encryptedstring")
    shapes.check(shapes.DESCRIBE, caller.call("GET", "/sobjects/Visit__c/describe").json())
    assert field_of(caller, "Visit__c", "Guest__c")["relationshipName"] == "Guest__r"
    assert field_of(caller, "Contact", "Account_Industry__c")["calculated"]
    assert field_of(caller, "Contact", "Secret__c")["encrypted"]
    org.hide("Contact", "Email")
    assert field_of(caller, "Contact", "Email") is None
    assert caller.refused("SELECT Email FROM Contact")[1] == "INVALID_FIELD"


def test_an_object_can_be_hidden_from_the_user(org, caller):
    org.hide("Account")
    assert caller.refused("SELECT Id FROM Account")[1] == "INVALID_TYPE"
    assert caller.refused("SELECT Account.Name FROM Contact")[1] == "INVALID_FIELD"
    assert caller.call("GET", "/sobjects/Account/describe").status_code == 404
    org.hide("Account", hidden=False)
    assert caller.query("SELECT Account.Name FROM Contact").status_code == 200


def test_describe_answers_304_when_nothing_changed(org, caller):
    first = caller.call("GET", "/sobjects/Lead/describe")
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert caller.call("GET", "/sobjects/Lead/describe", headers=since).status_code == 304
    org.advance(timedelta(seconds=5))
    org.define("Lead", "New__c string")
    assert caller.call("GET", "/sobjects/Lead/describe", headers=since).status_code == 200


def test_a_batch_describes_several_objects_in_one_call(org, caller):
    wanted = [{"method": "GET", "url": f"v62.0/sobjects/{name}/describe"} for name in ("Lead", "Nothing")]
    answer = caller.call("POST", "/composite/batch", json={"batchRequests": wanted}).json()
    assert [each["statusCode"] for each in answer["results"]] == [200, 404]
    assert org.used == 1


def test_the_date_header_tells_the_orgs_own_time():
    with Salesforce(now=datetime(2027, 3, 4, 5, 6, 7, tzinfo=UTC)) as org, Caller(org) as caller:
        told = parsedate_to_datetime(caller.call("GET", "/limits").headers["Date"])
    assert datetime(2027, 3, 4, 5, 6, 7, tzinfo=UTC) <= told < datetime(2027, 3, 4, 5, 7, tzinfo=UTC)


# The terminal form


def test_a_port_that_is_taken_is_said_in_one_line(org):
    command = [sys.executable, "-W", "error", "-m", "tests.doubles.salesforce", "--port", org.url.rpartition(":")[2]]
    ended = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert ended.stderr.startswith("the stand-in server cannot start: ")


def test_it_runs_in_a_terminal_prints_what_to_copy_and_ends_cleanly(tmp_path):
    command = [sys.executable, "-W", "error", "-m", "tests.doubles.salesforce", "--contacts", "30", "--tasks", "7"]
    command += ["--database", str(tmp_path / "org.db")]
    place = Path(__file__).parent.parent
    with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines = list(takewhile(lambda line: "SF_SECURITY_TOKEN" not in line, process.stdout))
        found = dict(re.findall(r"export (SF_\w+)='(.*)'", "".join(lines)))
        form = {"grant_type": "client_credentials", "client_id": found["SF_CLIENT_ID"]}
        form["client_secret"] = found["SF_CLIENT_SECRET"]
        granted = requests.post(found["SF_LOGIN_URL"] + "/services/oauth2/token", data=form, timeout=10).json()
        bearer = {"Authorization": f"Bearer {granted['access_token']}"}
        address = granted["instance_url"] + DATA + "/query"
        counted = [
            requests.get(address, params={"q": f"SELECT COUNT() FROM {name}"}, headers=bearer, timeout=10).json()
            for name in ("Contact", "Task")
        ]
        process.send_signal(signal.SIGTERM)
        rest, errors = process.communicate(timeout=20)
    assert [each["totalSize"] for each in counted] == [30, 7]
    assert (process.returncode, rest.strip().endswith("Stopped."), errors) == (0, True, "")


def test_two_orgs_in_terminals_are_told_apart_and_a_session_is_printed_for_calls_by_hand():
    found = []
    for _ in range(2):
        command = [sys.executable, "-W", "error", "-m", "tests.doubles.salesforce", "--contacts", "30"]
        place = Path(__file__).parent.parent
        with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True) as process:
            lines = "".join(takewhile(lambda line: "SF_SECURITY_TOKEN" not in line, process.stdout))
            token, address = re.search(r"^T='(.*)'\nS='(.*)'$", lines, re.M).groups()
            name, _, value = token.partition(": ")
            one = f"{address}/Contact/003xx0000000001AAA"
            changed = requests.patch(one, json={"Title": "Director"}, headers={name: value}, timeout=10)
            shown = requests.get(one, headers={name: value}, timeout=10).json()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)
        assert (changed.status_code, shown["Title"]) == (204, "Director")
        assert all(kind in lines.partition("\n")[0] for kind in ("Opportunity", "EmailMessage", "Event"))
        assert '"' not in lines, "a double quote and `!` do not go together in a shell"
        found.append(value.partition("!")[0])
    assert found[0] != found[1]
