"""What goes wrong with Salesforce, and what becomes of it: the table of errors, row by row."""

import pytest
from doubles.salesforce import Salesforce
from salesforce_streams import QUICK, contacts, keys, read, stream, variables

from connectors.base import SourceMisconfigured, SourceRefused, SourceUnreachable
from connectors.salesforce.faults import Refusal, refusal_of, short

PAGES = 1000


@pytest.fixture
def org():
    with Salesforce(page_size=200) as org:
        org.ids = contacts(org, PAGES)
        yield org


def problem(org, kind, **more):
    with pytest.raises(kind) as raised:
        read(org, **more)
    said = str(raised.value)
    assert "SELECT" not in said
    assert "mail.example" not in said
    assert "\n" not in said
    return said


def interrupted(org, error, **more):
    """What was read before an error, the error, and what comes from there afterwards."""
    pages, raised = [], None
    with stream(org, **more) as connector:
        try:
            pages.extend(connector.read(None))
        except (SourceUnreachable, SourceRefused, SourceMisconfigured) as found:
            raised = found
    assert isinstance(raised, error)
    org.mend()
    return pages, str(raised), read(org, pages)


def test_used_up_calls_end_the_reading_and_the_cursor_goes_on_from_there(org):
    org.fail("query_more", "REQUEST_LIMIT_EXCEEDED", after=2, times=None)
    pages, said, rest = interrupted(org, SourceUnreachable)
    assert "API calls of the last 24 hours are used up" in said
    assert keys(pages) + keys(rest) == org.ids
    assert len(keys(pages)) == 600


def test_the_daily_limit_of_the_org_itself_ends_it_too():
    with Salesforce(page_size=200, daily_calls=4) as org:
        contacts(org, 1000)
        assert "next run goes on from here" in problem(org, SourceUnreachable, quotaShare=1.0)


def test_the_share_that_is_left_to_others_is_not_touched():
    with Salesforce(page_size=200, daily_calls=100, used=48) as org:
        ids = contacts(org, 1000)
        pages = []
        with stream(org, quotaShare=0.5) as connector, pytest.raises(SourceUnreachable, match=r"quotaShare: 0\.5"):
            pages.extend(connector.read(None))
        assert org.used == 50
        assert keys(pages) == ids[:200]


def test_the_share_is_kept_where_the_header_tells_of_the_app_as_well():
    with Salesforce(daily_calls=100, used=60, per_app=(17, 250, "memsync app")) as org:
        contacts(org, 1)
        assert "60 of the org's 100" in problem(org, SourceUnreachable, quotaShare=0.5).replace("61", "60")


def test_too_many_requests_at_once_are_waited_out_for_long(org):
    org.fail("query", "CONCURRENT_REQUEST_LIMIT", times=2)
    waits = []
    assert keys(read(org, waits=waits)) == org.ids
    assert waits == [30, 60]


@pytest.mark.parametrize("status", [406, 420, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("body", ["", "<html>sorry</html>"])
def test_passing_trouble_is_tried_again_with_longer_waits(org, status, body):
    org.fail("query_more", status=status, body=body, times=3)
    waits = []
    assert keys(read(org, waits=waits)) == org.ids
    assert waits == [1, 2, 4]


def test_trouble_that_stays_ends_after_five_tries_with_the_cursor_kept(org):
    org.fail("query_more", "SERVER_UNAVAILABLE", after=1, times=None)
    pages, said, rest = interrupted(org, SourceUnreachable)
    assert "SERVER_UNAVAILABLE" in said
    assert org.calls["query_more"] == 1 + 5 + 2
    assert keys(pages) + keys(rest) == org.ids


@pytest.mark.parametrize("fault", [{"drop": True}, {"cut": 100}])
def test_broken_connections_are_tried_again(org, fault):
    org.fail("query_more", times=2, **fault)
    assert keys(read(org)) == org.ids


def test_an_answer_that_is_not_json_is_tried_again(org):
    org.fail("query", status=200, body="<html>welcome to the hotel's network</html>", times=2)
    assert keys(read(org)) == org.ids


def test_a_server_that_says_nothing_is_given_up_in_time(org):
    org.fail("query", hang=True, times=None)
    assert "takes the connection and does not answer" in problem(org, SourceUnreachable, timeouts=QUICK)


def test_an_address_where_nothing_listens_is_told():
    with Salesforce() as org:
        given = variables(org)
    with pytest.raises(SourceUnreachable, match=r"no answer from 127\.0\.0\.1"):
        read(org, variables=given)


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        ("OPERATION_TOO_LARGE", SourceRefused, "View All Data"),
        ("TXN_SECURITY_METERING_ERROR", SourceRefused, "Exempt from Transaction Security"),
        ("API_DISABLED_FOR_ORG", SourceRefused, "has no API"),
        ("API_CURRENTLY_DISABLED", SourceRefused, "API Enabled"),
        ("INSUFFICIENT_ACCESS", SourceRefused, "read access"),
        ("MALFORMED_QUERY", SourceMisconfigured, "look at `where`"),
        ("INVALID_TYPE", SourceMisconfigured, "correct `object`"),
        ("INVALID_TYPE_FOR_OPERATION", SourceMisconfigured, "cannot be queried"),
        ("QUERY_TOO_COMPLICATED", SourceMisconfigured, "fewer formula fields"),
        ("NOT_FOUND", SourceMisconfigured, "check `object` and SF_API_VERSION"),
        ("SOMETHING_NEW", SourceMisconfigured, "SOMETHING_NEW"),
    ],
)
def test_what_no_second_try_can_mend_is_told_at_once_with_its_remedy(org, error, kind, said):
    org.fail("query", error, times=None)
    before = org.calls["query"]
    assert said in problem(org, kind)
    assert org.calls["query"] == before + 1


@pytest.mark.parametrize(
    ("status", "said"), [(410, "version of the API was retired"), (403, "refuses access"), (404, "not found")]
)
def test_statuses_without_a_code_are_understood(org, status, said):
    org.fail("query", status=status, body="<html></html>")
    assert said in problem(org, SourceMisconfigured if status != 403 else SourceRefused)


def test_a_forgotten_place_in_a_result_is_found_again_behind_the_last_record(org):
    org.fail("query_more", "INVALID_QUERY_LOCATOR", after=1)
    assert keys(read(org)) == org.ids
    assert f"Id > '{org.ids[399]}'" in org.soql[-1]


def test_places_that_are_forgotten_every_time_end_the_reading(org):
    org.fail("query_more", "INVALID_QUERY_LOCATOR", times=None)
    assert keys(read(org)) == org.ids  # each first page brings it on


def test_a_field_that_vanishes_in_the_middle_is_named_after_a_second_look(org):
    with stream(org) as connector:
        pages = connector.read(None)
        first = next(pages)
        org.hide("Contact", "Title")
        org.fail("query_more", "INVALID_FIELD", message="No such column 'Title' on entity 'Contact'.")
        with pytest.raises(SourceMisconfigured, match="no field Title, or the user may not see it"):
            list(pages)
    org.hide("Contact", "Title", hidden=False)
    assert keys([first]) + keys(read(org, first.cursor)) == org.ids


def test_an_unknown_field_that_describe_knows_is_asked_for_once_more(org):
    org.fail("query_more", "INVALID_FIELD", after=1)
    assert keys(read(org)) == org.ids


def test_a_list_of_fields_that_is_too_long_for_an_address_is_read_by_bulk(org):
    names = [f"Field_with_a_rather_long_name_number_{number}__c" for number in range(280)]
    org.define("Contact", *(f"{name} string 80" for name in names))
    org.change("Contact", org.ids[0], {names[0]: "x"})
    pages = read(org, fields=["Email", *names])
    assert set(keys(pages)) == set(org.ids)
    assert org.calls["bulk_create"] == 1
    with stream(org, fields=["Email", *names]) as connector:
        assert [record.fields[names[0]] for record in connector.fetch([org.ids[0]])] == ["x"]
    with pytest.raises(SourceMisconfigured, match="too long for a REST query"):
        read(org, fields=["Email", *names], api="rest")


def test_an_address_that_an_edge_finds_too_long_is_told(org):
    org.fail("query", status=414, body="<html></html>")
    assert "list of fields is too long" in problem(org, SourceMisconfigured)


def test_what_the_server_says_is_shown_without_the_statement_and_its_values():
    statement = "\nSELECT Foo__c FROM Contact WHERE Email = 'ann@acme.example'\n      ^\nERROR at Row:1:Column:8\n"
    assert short(Refusal(400, "MALFORMED_QUERY", f"{statement}unexpected token: 'Ann'")) == (
        "MALFORMED_QUERY: unexpected token: '...'"
    )
    column = f"{statement}No such column 'Foo__c' on entity 'X'. If you are attempting to use a custom field ..."
    assert short(Refusal(400, "INVALID_FIELD", column)) == "INVALID_FIELD: No such column 'Foo__c' on entity 'X'"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([{"errorCode": "X", "message": "m"}], "X"),
        ({"exceptionCode": "InvalidSessionId", "exceptionMessage": "m"}, "InvalidSessionId"),
        ({"error": "invalid_grant", "error_description": "m"}, "invalid_grant"),
        ("<html></html>", ""),
        ([], ""),
        (None, ""),
        (["x"], ""),
    ],
)
def test_errors_of_every_shape_are_read(body, code):
    assert refusal_of(400, body).code == code
