"""Reading Salesforce by Bulk jobs: the same records as by REST, and every job goes on after a kill."""

import gzip
import random

import pytest
from doubles.salesforce import Salesforce
from doubles.salesforce.answers import Answer, refusal
from salesforce_streams import OLD, contacts, gone, keys, notes, read, records, stream

from connectors.base import SourceMisconfigured, SourceRefused, SourceUnreachable
from connectors.salesforce import bulk, http

EVERY = [
    "LastName", "Email", "Birthdate", "IsEmailBounced", "EmailBouncedDate", "Description", "MailingLatitude",
    "Account.Name", "Account.NumberOfEmployees", "Account.AnnualRevenue", "Account.Owner.Email", "Owner.Name",
]  # fmt: skip


@pytest.fixture
def small_pages(monkeypatch):
    """Pages of results and pieces of them that are small enough to cut in the middle."""
    monkeypatch.setattr(bulk, "PAGE_RECORDS", 100)
    monkeypatch.setattr(bulk, "PIECE_RECORDS", 30)


@pytest.fixture
def org():
    with Salesforce() as org:
        org.ids = contacts(org, 450)
        yield org


def by_bulk(org, since=None, **more):
    return read(org, since, api="bulk", **more)


def test_a_record_is_the_same_however_it_is_read():
    words = [
        "",
        "N/A",
        "None",
        "null",
        "\u00e4\u20ac\U0001f600",
        'a "quote", a comma',
        "line\r\nline\n\nline\rend",
        " x ",
        "\0nul\0",
        "=1+1",
    ]
    with Salesforce() as org:
        accounts = org.add("Account", [
            {"Name": "Acme, Inc.", "NumberOfEmployees": 12, "AnnualRevenue": 1234567.5},
            {"Name": "Bcme", "NumberOfEmployees": 0, "AnnualRevenue": 1e12},
            {"Name": "No numbers"},
        ], OLD)  # fmt: skip
        rows = [
            {
                "LastName": f"Person {at}", "Description": word or None, "AccountId": [*accounts, None][at % 4],
                "Birthdate": "1980-02-29" if at % 2 else None, "IsEmailBounced": at % 3 == 0,
                "EmailBouncedDate": OLD if at % 2 else None, "MailingLatitude": 52.5 + at if at % 2 else None,
            }
            for at, word in enumerate(words)
        ]  # fmt: skip
        org.add("Contact", rows, OLD)
        rest = records(read(org, fields=EVERY, api="rest"))
        assert rest == records(by_bulk(org, fields=EVERY))
        with stream(org, EVERY) as connector:
            assert rest == {record.key: record.fields for record in connector.fetch(list(rest))}
        found = {fields["LastName"]: fields for fields in rest.values()}
        assert found["Person 1"]["Description"] == "N/A"
        assert found["Person 6"]["Description"] == "line\nline\n\nline\nend"
        assert found["Person 8"]["Description"] == "nul"
        assert found["Person 0"]["Account"]["NumberOfEmployees"] == 12
        assert found["Person 1"]["Account"]["AnnualRevenue"] == 1e12
        assert found["Person 3"]["Account"] is None
        assert found["Person 1"]["EmailBouncedDate"] == "2024-03-04T05:06:07.000Z"


def test_long_and_manifold_texts_come_through_whole():
    chance = random.Random(7)
    signs = 'ab ",\n\r\u00df\u20ac\U0001f600'
    with Salesforce() as org:
        texts = ["".join(chance.choices(signs, k=chance.randrange(200))) for _ in range(400)] + ["\u20ac" * 32_000]
        org.define("Contact", "Long__c textarea 131072")
        ids = org.add("Contact", [{"LastName": "x", "Long__c": text or None} for text in [*texts, "y" * 131_072]], OLD)
        found = records(by_bulk(org, fields=["Long__c"]))
        assert found == records(read(org, fields=["Long__c"], api="rest"))
        assert found[ids[-2]]["Long__c"] == "\u20ac" * 32_000
        assert len(found[ids[-1]]["Long__c"]) == 131_072


def test_size_decides_how_records_are_read(org):
    read(org, bulkThreshold=450)
    assert org.calls["bulk_create"] == 0
    assert sorted(keys(read(org, bulkThreshold=449))) == org.ids
    assert org.calls["bulk_create"] == 1
    assert sorted(keys(read(org, bulkThreshold=200, api="rest"))) == org.ids
    assert org.calls["bulk_create"] == 1


def test_a_check_is_followed_by_a_sample_without_a_job(org):
    with stream(org, bulkThreshold=200) as connector:
        assert any("by Bulk" in note for note in connector.check().notes)
        assert keys(list(connector.read(None))) == org.ids
    assert org.calls["bulk_create"] == 0


def test_jobs_ask_for_no_order_and_are_deleted_after_use(org):
    by_bulk(org)
    assert "ORDER BY" not in org.soql[-1]
    assert "LIMIT" not in org.soql[-1]
    assert not org.jobs.jobs


@pytest.mark.usefixtures("small_pages")
def test_a_reading_goes_on_with_its_job_behind_any_page(org):
    whole = by_bulk(org)
    assert len(keys(whole)) == 450
    for cut in range(1, len(whole)):
        with stream(org, api="bulk") as connector:
            pages = connector.read(None)
            seen = [next(pages) for _ in range(cut)]
        before = org.calls["bulk_create"]
        rest = by_bulk(org, seen)
        assert org.calls["bulk_create"] == before
        assert sorted({*keys(seen), *keys(rest)}) == org.ids
        assert len(keys(seen)) + len(keys(rest)) <= 450 + 100
        assert not org.jobs.jobs


@pytest.mark.usefixtures("small_pages")
def test_a_job_that_is_gone_is_started_again(org):
    with stream(org, api="bulk") as connector:
        pages = connector.read(None)
        seen = [next(pages) for _ in range(4)]
    org.jobs.close()
    assert sorted(keys(by_bulk(org, seen))) == org.ids


@pytest.mark.usefixtures("small_pages")
def test_a_job_is_kept_until_its_last_records_are_taken(org):
    with stream(org, api="bulk") as connector:
        pages, seen = connector.read(None), []
        while not (seen and (seen[-1].cursor["part"] or {}).get("done")):
            seen.append(next(pages))
    assert org.jobs.jobs, "the last records may not have arrived anywhere yet"
    rest = by_bulk(org, seen[-2].cursor)
    assert {*keys(seen[:-1]), *keys(rest)} == set(org.ids)
    assert org.calls["bulk_create"] == 1
    assert not org.jobs.jobs


def test_the_first_cursor_holds_the_job_before_anything_is_waited_for(org):
    with stream(org, api="bulk") as connector:
        first = next(connector.read(None))
    assert first.cursor["part"]["job"]["id"] in org.jobs.jobs


def test_a_window_is_read_by_a_job_too(org):
    first = read(org)
    for one in org.ids:
        org.change("Contact", one, {"Title": "CTO"})
    assert sorted(keys(read(org, first, bulkThreshold=200))) == org.ids
    assert org.calls["bulk_create"] == 1


def test_deleted_records_are_seen_by_jobs(org):
    first = read(org)
    org.delete("Contact", org.ids[0])
    org.merge("Contact", org.ids[1], org.ids[2])
    assert gone(by_bulk(org, first)) == {org.ids[0]: "deleted", org.ids[2]: "merged"}


def test_questions_whether_a_job_is_done_come_less_and_less_often():
    with Salesforce(bulk_polls=20) as org:
        contacts(org, 3)
        waits = []
        by_bulk(org, waits=waits)
        assert len(waits) == 20
        assert waits == sorted(waits)
        assert waits[0] < 1
        assert waits[-1] == 30


def test_a_wait_for_a_job_can_be_ended_and_the_next_reading_takes_the_job_up():
    class Stopped(Exception):
        pass

    with Salesforce(bulk_polls=5) as org:
        ids = contacts(org, 3)

        class Waits(list):
            def append(self, seconds):
                raise Stopped

        seen = []
        with stream(org, api="bulk", waits=Waits()) as connector, pytest.raises(Stopped):
            seen.extend(connector.read(None))
        assert sorted(keys(by_bulk(org, seen))) == ids
        assert org.calls["bulk_create"] == 1


# Refused, failed, cut short


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("INVALIDENTITY", 400), ("FUNCTIONALITY_NOT_ENABLED", 400), ("API_ERROR", 400), ("LIMIT_EXCEEDED", 400),
        ("FeatureNotEnabled", 400), ("INSUFFICIENT_ACCESS", 403), ("", 403),
    ],
)  # fmt: skip
def test_what_bulk_refuses_is_read_by_rest_and_told(org, error, status):
    org.fail("bulk_create", status=status, body=[{"errorCode": error, "message": "not supported by the Bulk API"}])
    pages = read(org, bulkThreshold=200)
    assert keys(pages) == org.ids
    assert any("read by REST instead" in note for note in notes(pages))


def test_an_object_without_bulk_is_read_by_rest():
    with Salesforce() as org:
        parents = contacts(org, 1)
        rows = [{"ParentId": parents[0], "Name": f"{at}.txt", "Body": "eA=="} for at in range(250)]
        ids = org.add("Attachment", rows, OLD)
        pages = read(org, fields=["Name"], object="Attachment", bulkThreshold=200)
        assert keys(pages) == ids
        with pytest.raises(SourceMisconfigured, match="Bulk refuses"):
            by_bulk(org, fields=["Name"], object="Attachment")


def test_a_missing_permission_is_told_and_not_worked_around(org):
    restriction = "Implementation restriction: Contact requires View All Data"
    org.fail("bulk_create", status=400, body=[{"errorCode": "API_ERROR", "message": restriction}])
    with pytest.raises(SourceRefused, match="View All Data"):
        read(org, bulkThreshold=200)


def test_used_up_calls_are_no_reason_to_go_on_by_rest(org):
    org.fail("bulk_create", "REQUEST_LIMIT_EXCEEDED")
    with pytest.raises(SourceUnreachable, match="used up"):
        read(org, bulkThreshold=200)


def test_a_job_that_fails_is_told_by_its_code_and_read_by_rest(org):
    org.rules.failing["Contact"] = "InvalidBatch : QUERY_TIMEOUT: SELECT Email WHERE Email = 'ann@acme.example'"
    pages = read(org, bulkThreshold=200)
    assert keys(pages) == org.ids
    (note,) = notes(pages)
    assert "QUERY_TIMEOUT" in note
    assert "ann@" not in note
    with pytest.raises(SourceUnreachable, match="the Bulk job failed"):
        by_bulk(org)


def test_a_job_that_someone_aborts_ends_the_reading_and_the_next_one_starts_another(org):
    with stream(org, bulkThreshold=200) as connector:
        pages = connector.read(None)
        seen = [next(pages)]
        org.jobs.jobs[seen[0].cursor["part"]["job"]["id"]].state = "Aborted"
        with pytest.raises(SourceUnreachable, match="aborted"):
            seen.extend(pages)
    assert sorted(keys(read(org, seen, bulkThreshold=200))) == org.ids


DRIPPING = (5.0, 5.0, 0.5)
"""Seconds to connect, without a byte, and within which an answer has to get on."""


@pytest.mark.parametrize("refused", [False, True])
def test_results_that_come_byte_by_byte_are_not_waited_for(org, refused):
    org.fail("bulk_results", drip=0.01, times=None)
    if refused:
        org.jobs.results = lambda *_: refusal("UNKNOWN_EXCEPTION", "no " * 10_000).answer
    with pytest.raises(SourceUnreachable, match="no answer from"):
        by_bulk(org, timeouts=DRIPPING)
    assert org.calls["bulk_results"] == 5


def test_results_that_get_on_may_take_longer_than_another_answer_may(monkeypatch):
    monkeypatch.setattr(http, "LEAST", 1)
    with Salesforce() as org:
        ids = contacts(org, 1)
        org.fail("bulk_results", drip=0.01)
        assert keys(by_bulk(org, timeouts=DRIPPING)) == ids
        assert org.calls["bulk_results"] == 1


def test_results_that_break_off_are_downloaded_again(org):
    org.fail("bulk_results", drop=True, times=2)
    org.fail("bulk_results", status=503, body="")
    assert sorted(keys(by_bulk(org))) == org.ids


@pytest.mark.parametrize("body", ['"Id"\n"003"\n', '"Id","Email"\n"1"\n"2","x"\n', b'"Id"\n"\xff\xfe"\n', "<html>\n"])
def test_results_that_are_damaged_are_not_taken_for_whole(org, body):
    org.fail("bulk_results", status=200, body=body)
    with pytest.raises(SourceUnreachable, match="damaged"):
        by_bulk(org)


@pytest.mark.usefixtures("small_pages")
def test_pages_of_results_that_lack_records_are_read_again_by_the_next_run(org):
    with stream(org, api="bulk") as connector:
        pages = connector.read(None)
        seen = [next(pages), next(pages)]
    job = next(iter(org.jobs.jobs.values()))
    lines = "".join(f'"{one}"' + ',""' * 7 + "\n" for one in org.ids[:50])
    header = '"Id","SystemModstamp","IsDeleted","MasterRecordId","Email","LastName","Title","Description"\n'
    short = {"Sforce-NumberOfRecords": "100", "Sforce-Locator": "null"}
    org.fail("bulk_results", status=200, body=header + lines, headers=short)
    with stream(org, api="bulk") as connector, pytest.raises(SourceUnreachable, match="holds 50 records, 100 were"):
        seen.extend(connector.read(seen[-1].cursor))
    assert job.id in org.jobs.jobs
    assert {*keys(seen), *keys(by_bulk(org, seen))} == set(org.ids)


@pytest.mark.usefixtures("small_pages")
def test_a_job_that_gives_fewer_records_than_it_announced_is_started_again(org):
    header = '"Id","SystemModstamp","IsDeleted","MasterRecordId","Email","LastName","Title","Description"\n'
    org.fail("bulk_results", status=200, body=header, headers={"Sforce-NumberOfRecords": "0"}, after=2)
    seen = []
    with (
        stream(org, api="bulk") as connector,
        pytest.raises(SourceUnreachable, match="announced 450 records and gave 200"),
    ):
        seen.extend(connector.read(None))
    assert sorted(keys(by_bulk(org, seen))) == org.ids


def test_a_full_disk_is_told(org, monkeypatch):
    class Full:
        def __init__(self, *_):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def seek(self, *_):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(bulk.tempfile, "SpooledTemporaryFile", Full)
    with pytest.raises(SourceUnreachable, match=r"No space left on device.*TMPDIR"):
        by_bulk(org)


def test_a_session_that_ends_while_a_job_runs_is_renewed(org):
    org.expire_sessions(after=4)
    assert sorted(keys(by_bulk(org))) == org.ids
    assert org.calls["token"] == 2


def test_a_refresh_by_bulk_sweeps_as_well(org):
    from datetime import timedelta

    first = read(org, refresh="1d")
    org.advance(timedelta(days=2))
    second = read(org, first, refresh="1d", bulkThreshold=200)
    assert {key for page in second for key in page.present} == set(org.ids)
    assert any(page.swept for page in second)


@pytest.mark.usefixtures("small_pages")
def test_a_job_that_does_not_say_how_many_it_found_is_taken_at_the_numbers_of_its_pages(org):
    with stream(org, api="bulk") as connector:
        pages = connector.read(None)
        next(pages)
        done = org.fail("bulk_status", status=200, body={"state": "JobComplete"})
        (job,) = org.jobs.jobs.values()
        while org.jobs.status(job) and job.state != "JobComplete":
            pass
        assert sorted(keys(list(pages))) == org.ids
        assert done.used


@pytest.mark.parametrize("headers", [{}, {"Sforce-NumberOfRecords": "0"}, {"Sforce-Locator": "null"}])
def test_results_that_nobody_can_count_are_not_taken_for_whole(org, headers):
    org.fail("bulk_status", status=200, body={"state": "JobComplete"}, times=None)
    org.fail("bulk_results", status=200, body='"Id"\n', headers=headers, times=None)
    seen = []
    with stream(org, api="bulk") as connector, pytest.raises(SourceUnreachable, match="how many records") as raised:
        seen.extend(connector.read(None))
    assert "api: rest" in str(raised.value)
    org.mend()
    assert sorted(keys(by_bulk(org, seen))) == org.ids
    assert org.calls["bulk_create"] == 2


@pytest.mark.parametrize("status", [{"state": "Jane Roe"}, {"state": None}, {}, [], {"state": 7}])
def test_a_job_in_a_state_that_nobody_knows_is_given_up_after_some_tries(org, status):
    org.fail("bulk_status", status=200, body=status, times=None)
    seen, waits = [], []
    with stream(org, api="bulk", waits=waits) as connector, pytest.raises(SourceUnreachable) as raised:
        seen.extend(connector.read(None))
    assert "a state that is none of" in str(raised.value)
    assert "Jane" not in str(raised.value)
    assert org.calls["bulk_status"] == len(waits) + 1 == 12
    assert sum(waits) < 120
    assert [job.state for job in org.jobs.jobs.values()] in ([], ["Aborted"])
    org.mend()
    assert sorted(keys(by_bulk(org, seen))) == org.ids


def test_what_a_job_in_an_unknown_state_does_not_give_is_read_by_rest(org):
    org.fail("bulk_status", status=200, body={"state": "Paused"}, times=None)
    pages = read(org, bulkThreshold=200)
    assert keys(pages) == org.ids
    assert any("read by REST instead" in note for note in notes(pages))


def test_a_new_job_that_is_not_there_is_not_made_again_and_again(org):
    org.fail("bulk_status", "NOT_FOUND", times=None)
    with pytest.raises(SourceUnreachable, match="a new Bulk job is not there"):
        by_bulk(org)
    assert org.calls["bulk_create"] == 1
    assert keys(read(org, bulkThreshold=200)) == org.ids


TEXT = "Likes boats. " * 50 + '"Yes", she said'


@pytest.fixture
def one():
    """An org with a record that ends in a long text, and what a Bulk job gives of it."""
    with Salesforce() as org:
        org.define("Contact", "Last__c textarea 131072")
        org.ids = org.add("Contact", [{"LastName": "Roe", "Last__c": TEXT}], OLD)
        seen = read(org, fields=["Last__c"], api="bulk")
        assert records(seen)[org.ids[0]]["Last__c"] == TEXT
        yield org


@pytest.mark.parametrize("end", [-1, -2, -22, -30, -40, -300])
def test_results_that_are_cut_off_anywhere_are_not_taken_for_whole(one, end):
    header = '"SystemModstamp","IsDeleted","MasterRecordId","Last__c","Id"\n'
    doubled = TEXT.replace('"', '""')
    row = f'"2024-03-04T05:06:07.000Z","false","","{doubled}","{one.ids[0]}"'
    whole = {"Sforce-NumberOfRecords": "1", "Sforce-Locator": "null"}
    one.fail("bulk_results", status=200, body=(header + row)[:end], headers=whole)
    with pytest.raises(SourceUnreachable, match="damaged"):
        read(one, fields=["Last__c"], api="bulk")
    one.fail("bulk_results", status=200, body=header + row, headers=whole)
    assert records(read(one, fields=["Last__c"], api="bulk"))[one.ids[0]]["Last__c"] == TEXT


def test_the_id_comes_last_in_what_a_job_reads(one):
    (statement,) = {soql for soql in one.soql if "queryAll" in soql or soql.startswith("SELECT SystemModstamp")}
    assert statement.partition(" FROM ")[0].endswith(", Id")


@pytest.mark.parametrize("kind", ["bulk_results", "query"])
def test_a_packed_answer_that_breaks_off_is_downloaded_again(org, kind):
    packed = gzip.compress(b'"Id"\n' + bytes(random.Random(1).choices(range(32, 120), k=700)))[:-60]
    broken = org.fail(kind, status=200, body=packed, headers={"Content-Encoding": "gzip"}, times=2)
    assert sorted(keys(read(org, bulkThreshold=200))) == org.ids
    assert broken.used == 2


@pytest.mark.usefixtures("small_pages")
def test_a_page_of_results_that_comes_twice_is_not_taken_for_another(org):
    seen, whole = [], org.jobs.results
    org.jobs.results = lambda job, query: again(whole(job, {"maxRecords": "100"}), whole(job, query))
    with stream(org, api="bulk") as connector, pytest.raises(SourceUnreachable, match="the same records twice"):
        seen.extend(connector.read(None))
    org.jobs.results = whole
    assert {*keys(seen), *keys(by_bulk(org, seen))} == set(org.ids)


def again(first, this):
    """The first page once more, as if it were another one."""
    return Answer(200, first.body, {**this.headers, "Sforce-NumberOfRecords": "100"})


@pytest.mark.usefixtures("small_pages")
def test_a_job_that_gives_more_records_than_it_announced_is_not_read_for_ever(org):
    with stream(org, api="bulk") as connector:
        pages = connector.read(None)
        job = next(pages).cursor["part"]["job"]["id"]
        while org.jobs.status(org.jobs.jobs[job]) and org.jobs.jobs[job].state != "JobComplete":
            pass
        org.fail("bulk_status", status=200, body={"state": "JobComplete", "numberRecordsProcessed": 150})
        with pytest.raises(SourceUnreachable, match="of 150 that were announced"):
            list(pages)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("the entity is locked", "the entity is locked"),
        ("Jane Roe", "a reason that may quote a record"),
        ("", "no reason is given"),
    ],
)
def test_of_the_reason_why_a_job_failed_common_words_are_shown(org, error, said):
    org.fail("bulk_status", status=200, body={"state": "Failed", "errorMessage": error}, times=None)
    with pytest.raises(SourceUnreachable, match=said) as raised:
        by_bulk(org)
    assert "Jane" not in str(raised.value)
