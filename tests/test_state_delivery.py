"""What the store remembers of rows, from acceptance to the end, on SQLite and on Postgres."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from pathlib import Path

import pytest
from fixtures_state import Clock, accepted, chunk, failure, keys_of, owner, position

from state import Store, StoreUnusable, open_store
from state.values import AcceptedChunk, Entry, Failure, Lease, Step


@pytest.fixture
def lease(store: Store) -> Lease:
    return store.acquire("contacts", owner())


def test_an_accepted_chunk_keeps_its_keys_its_fingerprints_and_the_position_behind_it(
    store: Store, lease: Lease
) -> None:
    cursor = {"v": 1, "at": "2024-01-01T00:00:00.000001Z", "big": 2**63 + 1, "share": 0.1, "none": None, "text": "ü\0"}
    store.apply(lease, Step([chunk("a", "b")], purpose="incremental", position=position(cursor)))
    (waiting,) = store.unsettled("contacts")
    assert (waiting.event_id, waiting.rows, list(waiting.entries)) == ("event-1", 2, [("a", "id-a"), ("b", "id-b")])
    assert waiting.entries[1] == ("b", "id-b")
    assert store.fingerprints("contacts", ["a", "b", "c"]) == {"a": b"\x00\xff old", "b": b"\x00\xff old"}
    assert store.position("contacts", "incremental") == position(cursor)


def test_the_keys_of_a_chunk_that_waits_are_read_when_they_are_asked_for(store: Store, lease: Lease) -> None:
    store.apply(lease, Step([chunk("a", "b")]))
    (waiting,) = store.open_events("contacts")
    assert (waiting.event_id, waiting.rows, list(waiting.entries)) == ("event-1", 2, [])
    assert list(store.entries(waiting)) == [("a", "id-a"), ("b", "id-b")]
    store.settle(lease, waiting, [])
    assert list(store.entries(waiting)) == []


def test_what_one_stream_delivered_is_unknown_to_another(store: Store, lease: Lease) -> None:
    store.apply(lease, accepted("a"))
    assert store.has_fingerprints("contacts")
    assert not store.has_fingerprints("companies")
    assert store.fingerprints("companies", ["a"]) == {}
    assert store.unsettled("companies") == []


def test_a_key_that_comes_twice_in_one_step_keeps_its_newest_fingerprint(store: Store, lease: Lease) -> None:
    store.apply(lease, Step([chunk("a", fingerprint=b"one"), chunk("a", event="event-2", fingerprint=b"two")]))
    assert store.fingerprints("contacts", ["a"]) == {"a": b"two"}
    assert [waiting.event_id for waiting in store.unsettled("contacts")] == ["event-1", "event-2"]


def test_a_step_that_fails_in_the_middle_leaves_nothing_behind(store: Store, lease: Lease) -> None:
    broken = Step([chunk("a")], purpose="incremental", position=position({"not", "json"}))
    with pytest.raises(TypeError):
        store.apply(lease, broken)
    assert (store.unsettled("contacts"), store.fingerprints("contacts", ["a"])) == ([], {})
    assert store.position("contacts", "incremental") is None


def test_a_settled_chunk_is_forgotten_and_its_fingerprints_stay(store: Store, lease: Lease) -> None:
    store.apply(lease, accepted("a"))
    assert store.settle(lease, store.unsettled("contacts")[0], []) == 0
    assert store.unsettled("contacts") == []
    assert store.has_fingerprints("contacts")


def test_a_row_whose_event_fails_is_due_three_times_over_runs_and_then_a_reject(store: Store, lease: Lease) -> None:
    for attempt in (1, 2):
        store.apply(lease, accepted("a", "b"))
        assert store.settle(lease, store.unsettled("contacts")[0], [failure("a")]) == 0
        assert [(d.key, d.attempts) for d in store.due_redeliveries("contacts")] == [("a", attempt)]
        assert store.fingerprints("contacts", ["a", "b"]).keys() == {"b"}
    store.apply(lease, accepted("a"))
    assert store.due_redeliveries("contacts") == []
    assert store.settle(lease, store.unsettled("contacts")[0], [failure("a")]) == 1
    (reject,) = store.rejects("contacts")
    assert (reject.key, reject.code, reject.message, reject.attempts) == ("a", "BAD", "BAD happened", 3)
    assert store.due_redeliveries("contacts") == []


def test_a_row_that_can_never_be_stored_is_a_reject_at_once(store: Store, lease: Lease) -> None:
    store.apply(lease, accepted("a", "b"))
    assert store.settle(lease, store.unsettled("contacts")[0], [failure("a", final=True), failure("b")]) == 1
    assert keys_of(store.rejects()) == ["a"]
    assert keys_of(store.due_redeliveries("contacts")) == ["b"]


def test_a_row_that_the_server_cannot_take_now_is_due_again(store: Store, lease: Lease) -> None:
    store.apply(lease, Step(failed=[failure("a"), failure("b", final=True)]))
    assert keys_of(store.due_redeliveries("contacts")) == ["a"]
    assert keys_of(store.rejects("contacts")) == ["b"]


def test_a_redelivered_row_that_is_stored_is_done_with(store: Store, lease: Lease) -> None:
    store.apply(lease, Step(failed=[failure("a")]))
    store.apply(lease, accepted("a"))
    store.settle(lease, store.unsettled("contacts")[0], [])
    store.apply(lease, Step(failed=[failure("a")]))
    assert [d.attempts for d in store.due_redeliveries("contacts")] == [1]


def test_an_older_version_that_is_stored_late_does_not_cancel_the_newer_one_that_failed(
    store: Store, lease: Lease
) -> None:
    store.apply(lease, accepted("a", event="older"))
    store.apply(lease, accepted("a", event="newer", fingerprint=b"new"))
    older, newer = store.unsettled("contacts")
    store.settle(lease, newer, [failure("a")])
    store.settle(lease, older, [])
    assert keys_of(store.due_redeliveries("contacts")) == ["a"]


def test_a_reject_leaves_the_list_when_it_is_delivered(store: Store, lease: Lease) -> None:
    store.apply(lease, Step(rejects=[failure("a"), failure("b")]))
    store.apply(lease, accepted("a"))
    assert keys_of(store.rejects("contacts")) == ["b"]


def test_a_reject_that_fails_again_counts_its_attempts_and_keeps_its_first_time(
    store: Store, lease: Lease, clock: Clock
) -> None:
    store.apply(lease, Step(rejects=[failure("a")]))
    clock.advance(60)
    store.apply(lease, Step(rejects=[failure("a", "WORSE")]))
    (reject,) = store.rejects("contacts")
    assert (reject.attempts, reject.code, reject.last_at - reject.first_at) == (2, "WORSE", 60)


def test_a_reject_makes_what_was_delivered_of_the_row_before_worth_nothing(store: Store, lease: Lease) -> None:
    store.apply(lease, accepted("a"))
    store.apply(lease, Step(rejects=[failure("a")]))
    assert store.fingerprints("contacts", ["a"]) == {}


def test_dropped_rejects_are_gone(store: Store, lease: Lease) -> None:
    store.apply(lease, Step(rejects=[failure("a"), failure("b")]))
    store.drop_rejects(lease, ["a"])
    assert keys_of(store.rejects()) == ["b"]


def test_a_key_that_is_gone_from_the_source_leaves_no_trace(store: Store, lease: Lease) -> None:
    store.apply(lease, accepted("a", "b"))
    store.apply(lease, Step(rejects=[failure("c")], failed=[failure("d")]))
    store.apply(lease, Step(removed=["a", "c", "d"]))
    counts = store.counts("contacts")
    assert (counts["delivered"], counts["rejected"], counts["sent_again"]) == (1, 0, 0)


def test_words_of_a_server_that_no_database_takes_are_kept_in_readable_form(store: Store, lease: Lease) -> None:
    odd = Failure("a", "B\0D", "nul \0 lone \ud800 and long " + "x" * 5000)
    store.apply(lease, Step(rejects=[odd], failed=[Failure("b", "X", "\0")]))
    (reject,) = store.rejects("contacts")
    assert (reject.code, reject.message[:24], len(reject.message)) == ("B?D", "nul ? lone ? and long xx", 1000)


def test_an_event_is_asked_for_again_later_and_later(store: Store, lease: Lease, clock: Clock) -> None:
    store.apply(lease, accepted("a"))
    store.poll_again(lease, store.unsettled("contacts")[0], "proc\0essing", 30.0)
    (waiting,) = store.unsettled("contacts")
    assert (waiting.polls, waiting.status, waiting.next_poll_at) == (1, "proc?essing", clock.wall + 30.0)


def test_thousands_of_keys_are_looked_up_and_failed_in_one_go(store: Store, lease: Lease) -> None:
    keys = [f"key '\"{number}" for number in range(5_000)]
    store.apply(lease, accepted(*keys))
    assert len(store.fingerprints("contacts", keys)) == 5_000
    store.settle(lease, store.unsettled("contacts")[0], [failure(key) for key in keys])
    assert len(store.due_redeliveries("contacts")) == 5_000
    assert store.fingerprints("contacts", keys) == {}


def test_a_full_reading_takes_the_place_of_the_ordinary_one_in_one_step(store: Store, lease: Lease) -> None:
    store.set_position(lease, "full", position(7))
    store.set_position(lease, "incremental", position(9, complete=True), drop="full")
    assert {name: kept for name, (kept, _) in store.positions("contacts").items()} == {
        "incremental": position(9, complete=True)
    }


def test_a_sample_is_the_same_for_the_same_seed_and_draws_every_row_alike(store: Store, lease: Lease) -> None:
    keys = [f"k{number}" for number in range(40)]
    marks = {key: blake2b(key.encode(), digest_size=16).digest() for key in keys}
    entries = [Entry(key, mark, "") for key, mark in marks.items()]
    store.apply(lease, Step(accepted=[AcceptedChunk("event", entries)], destination="org"))
    assert store.sample("contacts", 5, 1) == store.sample("contacts", 5, 1)
    assert store.sample("contacts", 100, 3) == marks
    drawn = Counter(key for seed in range(400) for key in store.sample("contacts", 10, seed))
    assert set(drawn) == set(keys)
    assert max(drawn.values()) < 400
    assert sum(drawn.values()) == 4_000


def test_everything_that_is_known_of_one_row_is_told(store: Store, lease: Lease) -> None:
    assert not store.row_state("contacts", "a").is_known
    store.apply(lease, Step([chunk("a", "b"), chunk("a", event="event-2")], rejects=[failure("r")]))
    found = store.row_state("contacts", "a")
    assert [one.event_id for one in found.following] == ["event-1", "event-2"]
    assert (found.fingerprint, found.again, found.reject) == (b"\x00\xff old", None, None)
    assert store.unsettled_among("contacts", ["b", "r", "z"]) == {"b"}
    for one in store.unsettled("contacts"):
        store.settle(lease, one, [failure("a")])
    found = store.row_state("contacts", "a")
    assert (found.fingerprint, found.following, found.due) == (None, (), True)
    assert found.again is not None
    assert store.row_state("contacts", "r").reject is not None
    assert not store.row_state("companies", "a").is_known


def test_a_page_that_turns_out_to_be_damaged_while_it_is_read_is_said_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    keys = [f"{number:06}" for number in range(20_000)]
    with open_store(f"sqlite:///{file}") as store:
        lease = store.acquire("contacts", "me")
        store.apply(lease, Step([AcceptedChunk("e", [Entry(key, b"f" * 24, "i") for key in keys])]))
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.seek(size // 2)
        opened.write(b"\xab" * (size // 4))
    with open_store(f"sqlite:///{file}") as store, pytest.raises(StoreUnusable, match="is damaged"):
        store.fingerprints("contacts", keys)
