"""Where a run starts reading, decided from what was kept and what the map says now."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.hubspot import Source as HubSpot
from connectors.postgres import Source
from state.values import Position
from sync.memory.errors import DestinationMisconfigured
from sync.positions import FULL, INCREMENTAL, Start, backfill_start, check_destination, origin_of, start_of

NOW = Position(None, complete=False, map_hash="map", origin="origin", destination="org at host")
KEPT = replace(NOW, cursor={"at": 5}, complete=True)


def test_the_first_run_reads_from_the_start() -> None:
    assert start_of(NOW, None, None, full=False) == Start(INCREMENTAL, None)
    assert start_of(NOW, None, None, full=True) == Start(INCREMENTAL, None)


def test_a_later_run_goes_on_at_the_cursor() -> None:
    assert start_of(NOW, KEPT, None, full=False) == Start(INCREMENTAL, {"at": 5})


def test_a_full_run_starts_over_and_keeps_the_cursor_apart() -> None:
    assert start_of(NOW, KEPT, None, full=True) == Start(FULL, None)


def test_keys_that_say_when_something_is_read_change_nothing_of_what_is_read() -> None:
    def origin(**keys: object) -> str:
        return origin_of(HubSpot.model_validate({"connector": "hubspot", "object": "contacts", **keys}))

    assert origin(sweep="2d", archived="never", lookback="2h", settle="1m", relink="3d") == origin()
    assert origin(associate="companies") != origin()


def test_an_interrupted_full_run_goes_on_where_it_was() -> None:
    assert start_of(NOW, KEPT, replace(NOW, cursor={"at": 2}), full=True) == Start(FULL, {"at": 2})


@pytest.mark.parametrize("change", [{"map_hash": "other"}, {"origin": "other"}])
def test_a_changed_map_reads_everything_again_and_says_why(change: dict[str, str]) -> None:
    start = start_of(replace(NOW, **change), KEPT, None, full=False)
    assert (start.purpose, start.since) == (FULL, None)
    assert "changed since the last run, so everything is read again" in start.note


def test_reading_again_after_a_change_goes_on_where_it_was_interrupted() -> None:
    now = replace(NOW, map_hash="other")
    start = start_of(now, KEPT, replace(now, cursor={"at": 3}), full=False)
    assert (start.purpose, start.since) == (FULL, {"at": 3})


def test_a_full_reading_of_an_older_map_is_not_gone_on_with() -> None:
    now = replace(NOW, map_hash="newest")
    older = replace(NOW, map_hash="older", cursor={"at": 3})
    assert start_of(now, KEPT, older, full=False).since is None


def test_another_organisation_is_refused_with_the_remedies() -> None:
    with pytest.raises(DestinationMisconfigured, match=r"delivered to org at host so far.*MEMSYNC_STATE_URL"):
        check_destination("org at host", replace(NOW, destination="another"))
    check_destination(None, NOW)
    check_destination(NOW.destination, NOW)


def test_a_reading_begun_under_another_map_is_made_good() -> None:
    begun = replace(NOW, map_hash="another", cursor={"at": 1})
    start = start_of(NOW, KEPT, begun, full=False)
    assert (start.purpose, start.since) == ("full", None)


def test_an_interrupted_backfill_goes_on_and_a_finished_one_starts_over() -> None:
    under_way = replace(NOW, cursor={"at": 4})
    assert backfill_start("backfill ..", NOW, under_way) == Start("backfill ..", {"at": 4})
    assert backfill_start("backfill ..", NOW, replace(under_way, complete=True)) == Start("backfill ..", None)
    assert backfill_start("backfill ..", NOW, None) == Start("backfill ..", None)


@pytest.mark.parametrize("change", [{"map_hash": "other"}, {"origin": "other"}])
def test_a_backfill_of_another_map_or_source_starts_over(change: dict[str, str]) -> None:
    assert backfill_start("b", replace(NOW, **change), replace(NOW, cursor={"at": 4})).since is None


def test_what_is_read_makes_the_origin_and_when_it_is_read_does_not() -> None:
    source = Source.model_validate({"connector": "postgres", "object": "public.customers"})
    same = Source.model_validate({"connector": "postgres", "object": "public.customers", "lookback": "5m"})
    other = Source.model_validate({"connector": "postgres", "object": "public.customers", "where": "active"})
    assert origin_of(source) == origin_of(same)
    assert origin_of(source) != origin_of(other)
