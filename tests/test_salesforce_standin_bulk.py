"""The stand-in Salesforce: Bulk API 2.0 query jobs."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
import requests
import simple_salesforce
from doubles.salesforce import Salesforce, shapes
from salesforce_calls import Caller, refusal_in

WILD = 'line 1\nline 2 "quoted", with comma\r\nnul:\x00 end, Grüße 🎉'


@pytest.fixture
def org():
    with Salesforce() as running:
        running.add(
            "Contact",
            [{"LastName": f"Name {number}", "Description": WILD if number == 3 else None} for number in range(10)],
            at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        )
        yield running


def rows_of(answer, **dialect):
    text = answer.content.decode().replace("\x00", "")
    return list(csv.DictReader(io.StringIO(text, newline=""), **dialect))


def test_a_job_goes_from_queued_over_in_progress_to_complete(org, caller):
    org.rules.polls = 2
    made = caller.job("SELECT Id FROM Contact", "queryAll").json()
    shapes.check(shapes.JOB, made)
    states = [made["state"]]
    for _ in range(3):
        status = caller.call("GET", f"/jobs/query/{made['id']}").json()
        shapes.check(shapes.JOB_STATUS, status)
        states.append(status["state"])
    assert states == ["UploadComplete", "InProgress", "InProgress", "JobComplete"]
    assert status["numberRecordsProcessed"] == 10
    assert status["isPkChunkingSupported"] is True


def test_results_are_csv_in_quotes_with_every_character_kept(caller):
    path, _ = caller.finished("SELECT Id, Description, IsDeleted, Account.Name, SystemModstamp FROM Contact")
    answer = caller.call("GET", f"{path}/results")
    assert answer.text.startswith('"Id","Description","IsDeleted","Account.Name","SystemModstamp"\n"')
    rows = {row["Id"]: row for row in rows_of(answer)}
    wild = [row["Description"] for row in rows.values() if row["Description"]]
    assert wild == [WILD.replace("\x00", "")]
    assert "\x00" in answer.text
    assert {row["SystemModstamp"] for row in rows.values()} == {"2026-01-02T03:04:05.000Z"}
    assert {(row["IsDeleted"], row["Account.Name"]) for row in rows.values()} == {("false", "")}


def test_results_come_in_pages_by_locator_each_with_a_header_and_their_number(org, caller):
    path, status = caller.finished("SELECT Id FROM Contact")
    locator, seen, counts = {}, [], []
    while locator.get("locator") != "null" and len(counts) < 9:
        answer = caller.call("GET", f"{path}/results", params={"maxRecords": 4} | locator)
        seen += [row["Id"] for row in rows_of(answer)]
        counts.append(int(answer.headers["Sforce-NumberOfRecords"]))
        locator = {"locator": answer.headers["Sforce-Locator"]}
    assert counts == [4, 4, 2]
    assert sum(counts) == status["numberRecordsProcessed"]
    assert sorted(seen) == [key for (key,) in org.rows("Contact", "Id")]
    assert seen != sorted(seen), "a job without ORDER BY promises no order"


def test_a_locator_can_be_read_again_and_a_wrong_one_is_refused(caller):
    path, _ = caller.finished("SELECT Id FROM Contact")
    later = {"maxRecords": 4, "locator": "NA"}
    first, again = (caller.call("GET", f"{path}/results", params=later).text for _ in range(2))
    assert first == again
    wrong = caller.call("GET", f"{path}/results", params={"locator": "MTAwMDA"})
    assert (wrong.status_code, wrong.json()[0]["errorCode"]) == (400, "INVALID_QUERY_LOCATOR")


def test_the_org_chooses_the_page_where_the_caller_does_not(org, caller):
    org.rules.page = 6
    path, _ = caller.finished("SELECT Id FROM Contact")
    answer = caller.call("GET", f"{path}/results")
    assert (answer.headers["Sforce-NumberOfRecords"], answer.headers["Sforce-Locator"]) == ("6", "Ng")


def test_results_stay_as_they_were_when_the_job_ran(org, caller):
    path, _ = caller.finished("SELECT LastName FROM Contact")
    org.add("Contact", [{"LastName": "later"}])
    assert "later" not in caller.call("GET", f"{path}/results").text


def test_an_empty_result_is_a_header_alone(caller):
    path, _ = caller.finished("SELECT Id FROM Lead")
    answer = caller.call("GET", f"{path}/results")
    assert (answer.text, answer.headers["Sforce-NumberOfRecords"]) == ('"Id"\n', "0")


def test_delimiter_and_line_end_are_as_asked_for(caller):
    path, _ = caller.finished("SELECT Id, LastName FROM Contact", columnDelimiter="TAB", lineEnding="CRLF")
    assert caller.call("GET", f"{path}/results").text.startswith('"Id"\t"LastName"\r\n')


def test_deleted_records_are_in_query_all_jobs_only(org, caller):
    org.delete("Contact", org.rows("Contact", "Id")[0][0])
    counts = [
        caller.finished("SELECT Id FROM Contact", operation)[1]["numberRecordsProcessed"]
        for operation in ("query", "queryAll")
    ]
    assert counts == [9, 10]


def test_a_job_can_be_aborted_deleted_and_then_is_not_found(org, caller):
    path = f"/jobs/query/{caller.job('SELECT Id FROM Contact').json()['id']}"
    assert caller.call("DELETE", path).json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert caller.call("GET", f"{path}/results").json()[0]["errorCode"] == "INVALIDJOBSTATE"
    assert caller.call("PATCH", path, json={"state": "Aborted"}).json()["state"] == "Aborted"
    assert caller.call("GET", path).json()["state"] == "Aborted"
    assert len(caller.call("GET", "/jobs/query").json()["records"]) == 1
    assert caller.call("DELETE", path).status_code == 204
    assert caller.call("GET", path).json()[0]["errorCode"] == "NOT_FOUND"
    assert org.calls["bulk_abort"] == 1


def test_results_are_kept_for_seven_days(org, caller):
    path, _ = caller.finished("SELECT Id FROM Contact")
    org.advance(timedelta(days=7, seconds=1))
    caller.headers["Authorization"] = f"Bearer {org.access_token}"
    assert caller.call("GET", f"{path}/results").status_code == 404


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        ("SELECT Id FROM Attachment", "INVALIDENTITY", "not supported by the Bulk API"),
        ("SELECT Id FROM TaskWhoRelation", "INVALIDENTITY", "not supported by the Bulk API"),
        ("SELECT Id, MailingAddress FROM Contact", "FUNCTIONALITY_NOT_ENABLED", "compound data not supported"),
        ("SELECT Id, VersionData FROM ContentVersion", "INVALIDENTITY", "Binary field"),
        ("SELECT Id, TYPEOF Who WHEN Contact THEN Email END FROM Task", "API_ERROR", "TYPEOF"),
        ("SELECT COUNT() FROM Contact", "API_ERROR", "not supported"),
        ("SELECT Id FROM ActivityHistory", "INVALID_TYPE_FOR_OPERATION", "does not support query"),
        ("SELECT Nope FROM Contact", "INVALID_FIELD", "No such column"),
    ],
)
def test_what_bulk_cannot_read_is_refused_at_creation(caller, soql, code, message):
    status, found, said = refusal_in(caller.job(soql))
    assert (status, found) == (400, code)
    assert message in said


def test_objects_can_be_refused_or_fail_on_order(org, caller):
    org.rules.refused["Lead"] = "entity type Lead does not support query"
    assert caller.job("SELECT Id FROM Lead").json()[0]["message"] == "entity type Lead does not support query"
    org.rules.failing["Contact"] = "QUERY_TIMEOUT: Your query request was running for too long."
    _, status = caller.finished("SELECT Id FROM Contact")
    shapes.check(shapes.JOB_STATUS, status)
    assert (status["state"], status["errorMessage"][:13]) == ("Failed", "QUERY_TIMEOUT")


def test_the_daily_number_of_jobs_is_limited(org, caller):
    org.rules.jobs_a_day = 1
    assert caller.job("SELECT Id FROM Contact").status_code == 200
    assert caller.job("SELECT Id FROM Contact").json()[0]["errorCode"] == "LIMIT_EXCEEDED"
    assert caller.call("GET", "/limits").json()["DailyBulkV2QueryJobs"] == {"Max": 1, "Remaining": 0}


def test_long_results_are_chunked_across_the_borders_of_characters(org):
    org.add("Lead", [{"LastName": "ü" * 79, "Company": "x", "Description": "ß" * 9_001} for _ in range(20)])
    with Caller(org) as caller:
        caller.headers["Accept-Encoding"] = "identity"
        path, _ = caller.finished("SELECT Description FROM Lead")
        with caller.call("GET", f"{path}/results", stream=True) as answer:
            assert answer.headers["Transfer-Encoding"] == "chunked"
            pieces = list(answer.raw.stream(decode_content=True))
    assert any(piece[-1] == 0xC3 for piece in pieces), "no chunk ends within a character"
    assert b"".join(pieces).decode().count("ß") == 20 * 9_001


def test_the_librarys_own_bulk_reader_reads_it(org, tmp_path):
    class Plain(requests.adapters.HTTPAdapter):
        def send(self, request, **more):
            request.url = request.url.replace("https://", "http://")
            return super().send(request, **more)

    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", Plain())
        client = simple_salesforce.Salesforce(
            instance_url=org.url.replace("http", "https"), session_id=org.access_token, session=session
        )
        found = client.bulk2.Contact.download("SELECT Id FROM Contact", path=str(tmp_path), max_records=6, wait=0.01)
    assert [each["number_of_records"] for each in found] == [6, 4]
