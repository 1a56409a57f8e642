"""`memsync export`: what memory holds comes out whole, or not at all, and a killed export goes on."""

from __future__ import annotations

import csv
import json
import os
import signal
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from doubles.memory_server import failure, success
from fixtures_faults import FaultyPlace, end_of
from fixtures_reading import ListingApi, Shop

RECORDS = 130


def page_of(body: dict[str, Any], ids: list[str]) -> Any:
    start = (body["page"] - 1) * body["pageSize"]
    some = ids[start : start + body["pageSize"]]
    records = {one: {"name": {"value": f"Name of {one}"}} for one in some}
    return success({"recordIds": some, "totalMatched": len(ids), "records": records})


def ids_in(path: Path) -> list[str]:
    return [json.loads(line)["recordId"] for line in path.read_text().splitlines()]


def test_it_brings_out_what_was_sent(shop: Shop) -> None:
    shop.add(1, 25)
    shop.run("--wait", "20s")
    ended = shop.memsync("export", "--type", "contact", "--page-size", "10", "--memories", "--output", "all.jsonl")
    assert ended.code == 0, ended.err
    assert (ended.out, "25 records exported to all.jsonl" in ended.err) == ("", True)
    lines = [json.loads(line) for line in (shop.folder / "all.jsonl").read_text().splitlines()]
    found = {one["properties"]["name"]: one for one in lines}
    assert found["Name 7"]["properties"] == {"name": "Name 7", "plan": "team", "notes": "Note about 7."}
    assert found["Name 7"]["memories"] == ["Note about 7."]
    assert len(found) == 25
    assert stat.S_IMODE((shop.folder / "all.jsonl").stat().st_mode) == 0o600
    assert sorted(path.name for path in shop.folder.glob("all*")) == ["all.jsonl"]


def test_it_filters_by_key_and_by_conditions_and_counts(shop: Shop) -> None:
    shop.add(1, 25)
    shop.run("--wait", "20s")
    one = shop.memsync("export", "--key", "email=p3@example.com", "--properties", "plan,name")
    assert json.loads(one.out)["properties"] == {"plan": "team", "name": "Name 3"}
    assert list(json.loads(one.out)["properties"]) == ["plan", "name"]
    some = shop.memsync("export", "--type", "contact", "--where", "name=Name 3", "--where", "name=Name 4", "--any")
    assert len(some.out.splitlines()) == 2
    none = shop.memsync("export", "--type", "contact", "--where", "name=Name 3", "--where", "name=Name 4")
    assert (none.code, none.out) == (0, "")
    counted = shop.memsync("export", "--type", "contact", "--where", "name^=Name 1", "--count", "--json")
    assert counted.json["records"] == 11


def test_a_table_for_a_spreadsheet(shop: Shop) -> None:
    shop.add(1, 3)
    shop.database.do("UPDATE customers SET name = '=cmd' WHERE id = 2")
    shop.run("--wait", "20s")
    asked = ("export", "--type", "contact", "--format", "csv", "--properties", "name,plan")
    assert "=cmd,team" in shop.memsync(*asked).out
    ended = shop.memsync(*asked, "--spreadsheet", "--output", "all.csv", "--json")
    assert ended.json["records"] == 3
    with (shop.folder / "all.csv").open(encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["recordId", "name", "plan"]
    assert sorted(row[1] for row in rows) == ["'=cmd", "Name 1", "Name 3"]


def test_properties_without_a_column_are_kept_and_told(shop: Shop) -> None:
    shop.add(1, 1)
    shop.run("--wait", "20s")
    ended = shop.memsync("export", "--type", "contact", "--format", "csv")
    head, row = csv.reader(ended.out.splitlines())
    assert head[:3] == ["recordId", "full_name", "job_title"]
    assert json.loads(row[-1]) == {"name": "Name 1", "plan": "team"}
    assert "other_properties: name, plan" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [(), ("--type", "contact", "--spreadsheet"), ("--type", "contact", "--json"), ("--type", "c", "--where", "x"),
     ("--key", "nobody"), ("--type", "contact", "--page-size", "201"), ("--type", "contact", "--output", "no/x")],
)  # fmt: skip
def test_what_cannot_be_exported_is_refused_with_the_reason(arguments: tuple[str, ...], shop: Shop) -> None:
    ended = shop.memsync("export", *arguments)
    assert (ended.code, ended.out) == (2, "") or "--json" in arguments
    assert ended.err.strip()


def test_a_file_that_is_there_is_replaced_only_with_consent(shop: Shop) -> None:
    shop.add(1, 1)
    shop.run("--wait", "20s")
    (shop.folder / "all.jsonl").write_text("precious")
    asked = ("export", "--type", "contact", "--output", "all.jsonl")
    refused = shop.memsync(*asked)
    assert (refused.code, refused.err) == (
        2,
        "memsync: all.jsonl exists already: replace it? There is no terminal to ask on: --yes agrees\n",
    )
    assert (shop.folder / "all.jsonl").read_text() == "precious"
    assert shop.memsync(*asked, "--yes").code == 0
    assert len(ids_in(shop.folder / "all.jsonl")) == 1


def test_a_link_is_written_through_and_what_is_no_file_is_left_alone(shop: Shop) -> None:
    shop.add(1, 1)
    shop.run("--wait", "20s")
    (shop.folder / "far").mkdir()
    (shop.folder / "link.jsonl").symlink_to("far/real.jsonl")
    os.mkfifo(shop.folder / "pipe")
    (shop.folder / "linked").symlink_to("pipe")
    asked = ("export", "--type", "contact", "--yes", "--output")
    for _ in range(2):
        assert shop.memsync(*asked, "link.jsonl").code == 0
        assert (shop.folder / "link.jsonl").is_symlink()
        assert len(ids_in(shop.folder / "far/real.jsonl")) == 1
    for name in ("pipe", "linked"):
        ended = shop.memsync(*asked, name)
        assert (ended.code, "no regular file" in ended.err) == (2, True)
        assert (shop.folder / name).is_fifo()


def test_what_finds_nothing_says_what_may_be_amiss(shop: Shop) -> None:
    shop.add(1, 2)
    shop.run("--wait", "20s")
    plural = shop.memsync("export", "--type", "contacts")
    assert (plural.code, plural.out) == (0, "")
    assert "no map here has the entityType 'contacts'; did you mean contact?" in plural.err
    counted = shop.memsync("export", "--type", "contact", "--where", "job_titel=CEO", "--count", "--json")
    assert "did you mean job_title?" in counted.json["hints"][0]
    exact = shop.memsync("export", "--type", "contact", "--where", "name=name 1", "--count")
    assert "compared exactly" in exact.err
    wanted = shop.memsync("export", "--type", "contact", "--properties", "name,jobtitel")
    assert "no collection defines the property 'jobtitel'; did you mean job_title?" in wanted.err
    assert "'name'" not in wanted.err
    well = shop.memsync("export", "--type", "contact", "--properties", "name,job_title")
    assert (len(well.out.splitlines()), "no collection" in well.err) == (2, False)


Started = Callable[[ListingApi], None]


@pytest.fixture
def asked() -> tuple[str, ...]:
    return ("export", "--type", "contact", "--page-size", "10", "--output", "all.jsonl")


def slowly(ids: list[str]) -> Callable[[dict[str, Any]], Any]:
    def answer(body: dict[str, Any]) -> Any:
        time.sleep(0.05)
        return page_of(body, ids)

    return answer


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_an_export_that_was_ended_goes_on_without_doubles_and_holes(
    number: int, faulty: FaultyPlace, asked: tuple[str, ...]
) -> None:
    ids = [f"rec_{n}" for n in range(RECORDS)]
    with ListingApi(slowly(ids)) as api:
        faulty.variables["PERSONIZE_BASE_URL"] = api.url
        process = faulty.start(*asked)
        api.wait_for("search", 5)
        process.send_signal(number)
        ended = end_of(process)
        assert ended.code == (-number if number == signal.SIGKILL else 128 + number)
        if number != signal.SIGKILL:
            assert "the same command goes on from here" in ended.err
        part = faulty.folder / "all.jsonl.part"
        assert 0 < len(ids_in(part)) < RECORDS
        assert stat.S_IMODE(part.stat().st_mode) == 0o600
        before = len(api.searches)
        with part.open("a") as file:
            file.write('{"recordId":"half a li')
        last = faulty.memsync(*asked)
    assert last.code == 0, last.err
    assert ids_in(faulty.folder / "all.jsonl") == ids
    assert "of them by an earlier start" in last.err
    assert len(api.searches) - before < RECORDS / 10
    assert sorted(path.name for path in faulty.folder.glob("all*")) == ["all.jsonl"]


def test_a_table_goes_on_with_the_columns_that_it_began_with(faulty: FaultyPlace, asked: tuple[str, ...]) -> None:
    ids = [f"rec_{n}" for n in range(RECORDS)]
    table = (*asked[:-1], "all.csv", "--format", "csv", "--spreadsheet")

    def breaking(body: dict[str, Any]) -> Any:
        return failure(402, "INSUFFICIENT_CREDITS") if body["page"] == 4 else page_of(body, ids)

    with ListingApi(breaking) as api:
        faulty.variables["PERSONIZE_BASE_URL"] = api.url
        assert faulty.memsync(*table).code == 6
        api.answer = lambda body: page_of(body, ids)
        assert faulty.memsync(*table).code == 0
    with (faulty.folder / "all.csv").open(encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file)
    assert head == ["recordId", "other_properties"]
    assert [row[0] for row in rows] == ids


def test_counting_needs_no_record_in_the_answer(faulty: FaultyPlace) -> None:
    with ListingApi(lambda _: success({"recordIds": ["rec_1"], "totalMatched": RECORDS})) as api:
        faulty.variables["PERSONIZE_BASE_URL"] = api.url
        ended = faulty.memsync("export", "--type", "contact", "--count", "--json")
    assert (ended.code, json.loads(ended.out)["records"]) == (0, RECORDS)


def test_a_listing_that_the_server_cuts_short_is_no_file(faulty: FaultyPlace, asked: tuple[str, ...]) -> None:
    ids = [f"rec_{n}" for n in range(RECORDS)]

    def capped(body: dict[str, Any]) -> Any:
        nothing = success({"recordIds": [], "totalMatched": RECORDS, "records": {}})
        return nothing if body["page"] > 5 else page_of(body, ids)

    with ListingApi(capped) as api:
        faulty.variables["PERSONIZE_BASE_URL"] = api.url
        ended = faulty.memsync(*asked)
        on_screen = faulty.memsync(*asked[:-2])
    assert (ended.code, on_screen.code) == (5, 5)
    assert "cannot be paged further" in ended.err
    assert not (faulty.folder / "all.jsonl").exists()


def test_a_429_is_waited_out(faulty: FaultyPlace, asked: tuple[str, ...]) -> None:
    ids = [f"rec_{n}" for n in range(30)]
    turned: list[int] = []

    def limited(body: dict[str, Any]) -> Any:
        if body["page"] == 2 and not turned:
            turned.append(1)
            return failure(429, "rate_limit_exceeded", window="per_minute", retryAfterSeconds=1)
        return page_of(body, ids)

    with ListingApi(limited) as api:
        faulty.variables["PERSONIZE_BASE_URL"] = api.url
        ended = faulty.memsync(*asked)
    assert ended.code == 0, ended.err
    assert ids_in(faulty.folder / "all.jsonl") == ids


def test_the_part_of_another_export_is_not_gone_on_with(shop: Shop) -> None:
    shop.add(1, 25)
    shop.run("--wait", "20s")
    part, position = shop.folder / "all.jsonl.part", shop.folder / "all.jsonl.part.json"
    asked = ("export", "--type", "contact", "--output", "all.jsonl")
    part.write_text("not ours")
    alone = shop.memsync(*asked)
    assert (alone.code, part.read_text()) == (2, "not ours")
    assert "all.jsonl.part is there" in alone.err
    place = {"size": 10, "sweep": 1, "page": 2, "listed": 1, "distinct": 1, "total": 1, "fell": False}
    other = {"version": 1, "mark": "other", "place": place, "columns": [], "bytes": 8, "written": 1}
    position.write_text(json.dumps(other))
    foreign = shop.memsync(*asked)
    assert (foreign.code, "belongs to another export" in foreign.err) == (2, True)
    position.write_text("{")
    damaged = shop.memsync(*asked)
    assert (damaged.code, "is damaged" in damaged.err) == (2, True)
    position.unlink()
    part.unlink()
    assert shop.memsync(*asked).code == 0


def test_a_part_that_lost_its_end_is_found_out(faulty: FaultyPlace, asked: tuple[str, ...]) -> None:
    ids = [f"rec_{n}" for n in range(RECORDS)]

    def breaking(body: dict[str, Any]) -> Any:
        return failure(402, "INSUFFICIENT_CREDITS") if body["page"] == 4 else page_of(body, ids)

    with ListingApi(breaking) as api:
        faulty.variables["PERSONIZE_BASE_URL"] = api.url
        assert faulty.memsync(*asked).code == 6
        part = faulty.folder / "all.jsonl.part"
        os.truncate(part, part.stat().st_size - 10)
        ended = faulty.memsync(*asked)
    assert (ended.code, "is shorter than" in ended.err) == (2, True)


def test_two_exports_never_write_one_file(faulty: FaultyPlace, asked: tuple[str, ...]) -> None:
    ids = [f"rec_{n}" for n in range(RECORDS)]
    with ListingApi(slowly(ids)) as api:
        faulty.variables["PERSONIZE_BASE_URL"] = api.url
        process = faulty.start(*asked)
        api.wait_for("search", 3)
        second = faulty.memsync(*asked)
        first = end_of(process)
    assert (first.code, second.code) == (0, 2), second.err
    assert "another export is writing it" in second.err
    assert ids_in(faulty.folder / "all.jsonl") == ids
