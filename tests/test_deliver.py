"""The one path over a real store: what is recorded, whatever happens on the way."""

import json
import threading
import time
from itertools import chain

import pytest
from doubles.pages_source import PagesSource, pages_of, record
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.base import Page, Record, SourceUnreachable
from state.errors import StoreUnusable
from state.store import open_store
from state.values import Position
from sync.chunks import Chunker
from sync.deliver import deliver
from sync.due import rows_of_a_call
from sync.guards import Allowance, Cap
from sync.hold import HeldState
from sync.intake import take_in
from sync.job import Job
from sync.maps.problem import MapUnfit
from sync.maps.row import HASH_SIZE, PLAIN_SIZE, Reject, Row, body_with
from sync.memory.envelope import Envelope
from sync.memory.errors import (
    ChunkRefused,
    DestinationMisconfigured,
    DestinationUnavailable,
    QuotaExhausted,
)
from sync.memory.pace import Pacer
from sync.memory.writer import BatchWriter
from sync.stop import Stop, Stopped
from sync.summary import Summary

NOW = Position(None, complete=False, map_hash="m", origin="o", destination="d")


class Server:
    """Takes batches as `judge` says, on any thread, and notes what is in flight together."""

    def __init__(self, judge=lambda keys: None):
        self.judge, self.lock = judge, threading.Lock()
        self.aloft, self.most, self.clashes = [], 0, 0
        self.calls, self.taken = [], []

    def batch(self, body):
        rows = json.loads(body)["rows"]
        keys = [row["key"] for row in rows]
        mine = {row["email"].lower() for row in rows}
        with self.lock:
            self.clashes += any(mine & other for other in self.aloft)
            self.aloft.append(mine)
            self.most = max(self.most, len(self.aloft))
            self.calls.append(keys)
            number = len(self.calls)
        try:
            errors = self.judge(keys) or []
        finally:
            with self.lock:
                self.aloft.remove(mine)
        self.taken += keys
        return {"eventId": f"e{number}", "errors": errors}


def make_row(one):
    if one.fields.get("bad"):
        return Reject(one.key, "MISSING_IDENTIFIER", "no address")
    body = json.dumps({"key": one.key, **one.fields}).encode()
    return Row(one.key, one.fields["email"], body, (), str(hash(body)).encode())


def limited(rows):
    return Allowance([Cap(rows, "stopped at --limit", status="")] if rows else [])


class Stage:
    """A store, a source and a server, with runs over them."""

    def __init__(self, path):
        self.store = open_store(f"sqlite:///{path / 'state.db'}")
        self.lease = self.store.acquire("s", "me")
        self.stop = Stop()

    def run(self, source, server, *, rows=2, in_flight=4, since=None, ledger=None, make_row=make_row, **more):
        pacer = Pacer(10**6, 0.9, "call", lambda _, __: 0.0, lambda _: None, self.stop.pause)
        self.summary = Summary("s")
        job = Job(
            stream="s",
            purpose="incremental",
            connector=source,
            since=since,
            until=None,
            make_row=make_row,
            row_of=None,  # its source makes records
            chunker=Chunker(rows, 10**6),
            writer=BatchWriter(server, Envelope(b'{"rows":[', b"]}"), pacer, self.stop.pause, lambda: 0.0),
            ledger=ledger or HeldState(self.store, self.lease),
            position=NOW,
            summary=self.summary,
            stop=self.stop,
            in_flight=in_flight,
            hash_identity=str,
            **more,
        )
        try:
            return deliver(job)
        finally:
            self.summary.left_over("the next run")
            assert self.summary.balances

    @property
    def cursor(self):
        position = self.store.position("s", "incremental")
        return position and position.cursor["at"]

    @property
    def accepted(self):
        return sorted((key for chunk in self.store.unsettled("s") for key, _ in chunk.entries), key=int)

    @property
    def rejects(self):
        return sorted((one.key for one in self.store.rejects("s")), key=int)


@pytest.fixture
def stage(tmp_path):
    one = Stage(tmp_path)
    yield one
    one.store.close()


def test_everything_is_delivered_and_the_cursor_stands_at_the_end(stage):
    assert stage.run(PagesSource(*pages_of(3, 0, 4)), Server())
    assert stage.accepted == [str(n) for n in range(1, 8)]
    assert stage.cursor == 3
    assert (stage.summary.read, stage.summary.sent, stage.summary.accepted) == (7, 7, 7)


def test_chunks_span_pages(stage):
    server = Server()
    stage.run(PagesSource(*pages_of(3, 3, 3)), server, rows=4)
    assert [len(keys) for keys in sorted(server.calls, key=lambda keys: int(keys[0]))] == [4, 4, 1]


def test_a_page_that_a_source_yields_once_more_in_a_first_run_is_not_sent_again(stage):
    (page,) = pages_of(40)
    server = Server()
    stage.run(PagesSource(page, Page(page.records, {"at": 2})), server, rows=5, in_flight=1)
    assert stage.summary.read == 80
    assert 40 <= len(server.taken) <= 45  # one chunk may have been in flight
    assert stage.summary.sent + stage.summary.unchanged == 80


def test_a_record_that_comes_twice_before_it_is_sent_is_sent_once(stage):
    (page,) = pages_of(3)
    stage.run(PagesSource(page, Page(page.records, {"at": 2})), Server(), rows=100)
    assert (stage.summary.read, stage.summary.sent, stage.summary.unchanged) == (6, 3, 3)
    assert stage.cursor == 2


def test_a_change_that_is_taken_back_within_a_run_leaves_what_the_source_holds(stage):
    old, new = record("1", name="old"), record("1", name="new")
    stage.run(PagesSource(Page([old], {"at": 1})), Server())
    kept = stage.store.fingerprints("s", ["1"])
    stage.run(PagesSource(Page([new], {"at": 2}), Page([old], {"at": 3})), Server(), rows=100, since={"at": 1})
    assert (stage.summary.sent, stage.summary.unchanged) == (2, 0)
    assert stage.store.fingerprints("s", ["1"]) == kept


def test_a_text_that_is_taken_back_after_an_unanswered_call_is_sent_again(stage):
    def row(text, mark):
        texts = (b'"t":"%b"' % text,)
        return lambda one: Row(one.key, "a@x", body_with(b'{"key":"1","email":"a@x"}', texts), texts, b"p" * 16 + mark)

    def cut_off(_):
        raise DestinationMisconfigured("the answer never came")

    first, second = row(b"first", b"firstone"), row(b"second", b"secondon")
    stage.run(PagesSource(Page([record("1")], {"at": 1})), Server(), make_row=first)
    with pytest.raises(DestinationMisconfigured):
        stage.run(PagesSource(Page([record("1")], {"at": 2})), Server(cut_off), make_row=second)
    stage.stop, bodies, server = Stop(), [], Server()
    taken = server.batch
    server.batch = lambda body: bodies.append(body) or taken(body)
    stage.run(PagesSource(Page([record("1")], {"at": 3})), server, make_row=first)
    assert b'"t":"first"' in bodies[0]


def test_of_a_record_that_comes_twice_in_a_page_the_later_reading_holds(stage):
    old, new = record("1", name="old"), record("1", name="new")
    stage.run(PagesSource(Page([old], {"at": 1})), Server())
    server = Server()
    stage.run(PagesSource(Page([new, old], {"at": 2})), server, since={"at": 1})
    assert (server.calls, stage.summary.unchanged) == ([], 2)
    stage.run(PagesSource(Page([old, new, new], {"at": 3})), server, since={"at": 2})
    assert (stage.summary.read, stage.summary.sent, stage.summary.unchanged) == (3, 1, 2)


def test_in_a_first_run_too_a_record_that_was_just_delivered_is_known(stage):
    first = [record(str(n)) for n in range(40)]
    again = [record(str(n)) for n in range(100, 200)]
    again[37] = record("7")
    stage.run(PagesSource(Page(first, {"at": 1}), Page([], {"at": 2}), Page(again, {"at": 3})), Server(), in_flight=1)
    assert (stage.summary.sent, stage.summary.unchanged) == (139, 1)


def test_two_versions_of_a_record_are_never_in_flight_together_whatever_their_identities(stage):
    def other_address(one):
        return Row(
            one.key,
            one.fields["email"] + one.fields["name"],
            b'{"key":"1","email":"x"}',
            (),
            one.fields["name"].encode() * 16,
        )

    gate, order = threading.Event(), []

    def judge(_):
        order.append("begun")
        if len(order) == 1:
            gate.wait(1)
            order.append("ended")

    old, new = record("1", name="a"), record("1", name="b")
    stage.run(
        PagesSource(Page([old], {"at": 1}), Page([new], {"at": 2})), Server(judge), rows=1, make_row=other_address
    )
    assert order == ["begun", "ended", "begun"]


def test_no_text_is_spared_for_a_row_whose_fate_is_not_known(stage):
    row = Row("1", "a@x", b'{"a":1,"t":"x"}', (b'"t":"x"',), bytes(PLAIN_SIZE) + b"12345678")
    other = bytes(HASH_SIZE) + b"else" + b"12345678"
    (sent,) = take_in([row], 1, lambda _: {"1": other}, lambda _: {"1": other}).rows
    assert b'"t":"x"' in sent.body


def test_a_page_without_records_moves_the_cursor(stage):
    stage.run(PagesSource(Page([], {"at": 5}, filtered={"too old": 2})), Server())
    assert stage.cursor == 5
    assert (stage.summary.read, stage.summary.filtered) == (2, 2)


def test_four_calls_are_really_in_flight_at_once(stage):
    together = threading.Barrier(4, timeout=3)
    server = Server(lambda _: together.wait() and None)
    stage.run(PagesSource(*pages_of(8)), server)
    assert server.most == 4


def test_one_identity_is_never_in_two_calls_at_once_in_any_case(stage):
    records = [record(str(n), email=("Same@X.example" if n % 3 else "sAME@x.EXAMPLE")) for n in range(1, 9)]
    others = [record(str(n)) for n in range(9, 30)]
    mixed = [one for pair in zip(records, others, strict=False) for one in pair]
    server = Server(lambda _: time.sleep(0.01))
    stage.run(PagesSource(Page(mixed, {"at": 1})), server, rows=1)
    assert server.clashes == 0
    assert server.most >= 2
    assert len(stage.accepted) == 16


def test_the_second_run_sends_only_what_changed(stage):
    stage.run(PagesSource(*pages_of(4)), Server())
    server = Server()
    changed = Page([record("1"), record("2", title="new"), record("3")], {"at": 2})
    stage.run(PagesSource(changed), server, since={"at": 1})
    assert server.calls == [["2"]]
    assert stage.summary.unchanged == 2
    stage.run(PagesSource(changed), server, since={"at": 1}, resend=True)
    assert sorted(chain.from_iterable(server.calls[1:])) == ["1", "2", "3"]


def test_the_cursor_waits_for_a_chunk_that_is_late(stage):
    gate = threading.Event()
    server = Server(lambda keys: gate.wait(3) and None if "1" in keys else None)
    source = PagesSource(*pages_of(2, 2, 2, 2), before=lambda number: number == 4 and look())
    seen = []

    def look():
        time.sleep(0.3)
        seen.append(stage.cursor)
        gate.set()

    stage.run(source, server)
    assert seen == [None]
    assert stage.cursor == 4


def test_a_limit_ends_the_reading_and_leaves_the_cut_page_for_the_next_run(stage):
    assert not stage.run(PagesSource(*pages_of(3, 3, 3)), Server(), allowance=limited(4))
    assert stage.accepted == ["1", "2", "3", "4"]
    assert stage.cursor == 1


def test_what_was_accepted_of_a_chunk_that_is_being_split_is_recorded_when_the_run_is_stopped(stage):
    hanging = threading.Event()

    def judge(keys):
        if "16" in keys and len(keys) > 1:
            raise ChunkRefused("refused", "validation_error")
        if keys == ["16"]:
            stage.stop.set()
            hanging.wait(20)

    with pytest.raises(Stopped):
        stage.run(PagesSource(*pages_of(16)), Server(judge), rows=16, in_flight=1)
    hanging.set()
    assert stage.accepted == [str(number) for number in range(1, 16)]
    assert (stage.cursor, stage.rejects) == (None, [])


def test_a_limit_is_not_used_up_by_rows_that_were_refused_before(stage):
    def judge(keys):
        bad = [key for key in keys if int(key) <= 4]
        if bad:
            raise ChunkRefused(f"refused {bad}", "CONTENT_TOO_LARGE")

    for _ in range(3):
        stage.run(PagesSource(*pages_of(12)), Server(judge), allowance=limited(4))
    assert stage.accepted == [str(number) for number in range(5, 13)]
    assert stage.rejects == ["1", "2", "3", "4"]


def test_a_page_without_any_identity_does_not_stop_a_map_that_delivered_before(stage):
    def nobody(start):
        return [Record(str(start + number), {"bad": 1}) for number in range(60)]

    with pytest.raises(MapUnfit):
        stage.run(PagesSource(Page(nobody(100), {"at": 1})), Server())
    stage.stop = Stop()
    stage.run(PagesSource(*pages_of(3)), Server())
    pages = [Page(nobody(100), {"at": 4}), Page([record("500")], {"at": 5})]
    stage.run(PagesSource(*pages), Server(), proven=True)
    assert "500" in stage.accepted
    assert (stage.cursor, len(stage.rejects)) == (5, 60)


def test_what_is_gone_is_counted_once_by_what_became_of_it_and_forgotten(stage):
    stage.run(PagesSource(*pages_of(4)), Server())
    gone = {"1": "archived", "2": "merged", "unknown": "archived"}
    for counted in (2, 0):
        stage.run(PagesSource(Page([], {"at": 5}, gone=gone)), Server())
        assert stage.summary.gone == counted
    assert list(stage.store.delivered_keys("s")) == ["3", "4"]
    assert stage.store.held("s", ["1", "3"]) == {"3": ["3"]}


def test_the_beginning_of_a_composite_key_stands_for_all_its_rows(stage):
    keys = ['["7","1"]', '["7","2"]', '["70","1"]']
    stage.run(PagesSource(Page([record(key) for key in keys], {"at": 1})), Server())
    stage.run(PagesSource(Page([], {"at": 2}, gone={'["7",': "archived"})), Server())
    assert (stage.summary.gone, set(stage.summary.gone_keys.values())) == (2, {"archived"})
    assert list(stage.store.delivered_keys("s")) == keys[2:]


def test_what_a_sweep_over_all_keys_does_not_name_is_gone(stage):
    stage.run(PagesSource(*pages_of(4)), Server())
    pages = [Page([], {"at": 5}, present=["1", "4"]), Page([], {"at": 6}, present=["3"], swept=True)]
    stage.run(PagesSource(*pages), Server())
    assert stage.summary.gone_keys == {"2": "no longer in the source"}
    assert list(stage.store.delivered_keys("s")) == ["1", "3", "4"]


def test_filtered_records_and_remarks_of_a_source_are_told_with_their_reasons(stage):
    pages = [Page([], {"at": n}, filtered={"no contact": n}, notes=["bodies are withheld"]) for n in (1, 2)]
    stage.run(PagesSource(*pages), Server())
    assert (stage.summary.filtered, stage.summary.left_out) == (3, {"no contact": 3})
    assert stage.summary.notes == ["bodies are withheld"]


def test_what_an_earlier_run_could_not_deliver_comes_first_and_what_is_gone_is_forgotten(stage):
    pages = pages_of(4)
    stage.run(
        PagesSource(*pages), Server(lambda keys: [{"email": f"{k}@x.example", "code": "BUSY"} for k in keys]), rows=4
    )
    assert stage.summary.failed == 4
    assert {one.key for one in stage.store.due_redeliveries("s")} == {"1", "2", "3", "4"}
    source, server = PagesSource(*pages), Server()
    source.gone = {"3"}
    stage.run(source, server, rows=3, since={"at": 1})
    assert server.calls == [["1", "2", "4"]]
    assert stage.store.due_redeliveries("s") == []
    assert stage.summary.gone == 1


def test_bad_rows_become_rejects_and_the_rest_is_delivered(stage):
    def judge(keys):
        if "7" in keys:
            raise ChunkRefused("refused 7@x.example", "validation_error")

    stage.run(PagesSource(*pages_of(60)), Server(judge), rows=10)
    assert stage.rejects == ["7"]
    assert stage.cursor == 1
    assert (stage.summary.sent, stage.summary.rejected, stage.summary.reasons) == (59, 1, {"validation_error": 1})


def test_rows_that_cannot_be_made_are_filed_too(stage):
    stage.run(PagesSource(Page([record("1", bad=1), record("2")], {"at": 1})), Server())
    assert (stage.rejects, stage.accepted, stage.cursor) == (["1"], ["2"], 1)


@pytest.mark.parametrize("in_flight", [1, 4])
@pytest.mark.parametrize("rows", [1, 3, 20, 100])
def test_a_wrong_map_rejects_nothing_and_moves_no_cursor(stage, rows, in_flight):
    def judge(keys):
        raise ChunkRefused("entity type?", "ENTITY_TYPE_MISMATCH")

    server = Server(judge)
    with pytest.raises(DestinationMisconfigured, match="the map does not fit"):
        stage.run(PagesSource(*pages_of(*[20] * 10)), server, rows=rows, in_flight=in_flight)
    assert (stage.rejects, stage.accepted, stage.cursor) == ([], [], None)
    assert len(server.calls) < 110


def test_a_few_bad_rows_of_a_small_source_are_rejects(stage):
    def judge(keys):
        if {"1", "2"} & set(keys):
            raise ChunkRefused("no", "validation_error")

    stage.run(PagesSource(*pages_of(3)), Server(judge), rows=100)
    assert (stage.rejects, stage.accepted, stage.cursor) == (["1", "2"], ["3"], 1)


@pytest.mark.parametrize("problem", [QuotaExhausted("month"), DestinationMisconfigured("wrong"), RuntimeError("bug")])
def test_a_problem_in_one_chunk_does_not_lose_what_others_bring(stage, problem):
    late = threading.Event()

    def judge(keys):
        if "3" in keys:
            late.set()
            raise problem
        late.wait(3)
        time.sleep(0.1)

    with pytest.raises(type(problem)):
        stage.run(PagesSource(*pages_of(8)), Server(judge))
    assert {"1", "2"} <= set(stage.accepted)
    assert "3" not in stage.accepted
    assert stage.cursor is None


def test_what_was_read_before_a_source_failed_is_delivered(stage):
    def fail(number):
        if number == 3:
            raise SourceUnreachable("gone")

    with pytest.raises(SourceUnreachable):
        stage.run(PagesSource(*pages_of(2, 2, 2), before=fail), Server(lambda _: time.sleep(0.1)), rows=3)
    assert stage.accepted == ["1", "2", "3", "4"]
    assert stage.cursor == 2


@pytest.mark.parametrize("phase", ["read", "send", "pause", "full"])
def test_a_stop_in_any_phase_records_what_was_accepted(stage, phase):
    began = time.monotonic()
    sent = []

    def judge(keys):
        sent.append(keys)
        if phase == "send" and len(sent) == 3:
            stage.stop.set(15)
            time.sleep(0.2)
        if phase == "pause" and len(sent) == 3:
            threading.Timer(0.2, stage.stop.set).start()
            raise DestinationUnavailable("later", ambiguous=False, retry_after=600)
        if phase == "full":
            threading.Timer(0.1, stage.stop.set).start()
            time.sleep(0.4)

    def before(number):
        if phase == "read" and number == 3:
            time.sleep(0.1)
            stage.stop.set(15)
            time.sleep(0.3)

    server = Server(judge)
    with pytest.raises(Stopped):
        stage.run(PagesSource(*pages_of(2, 2, 2, 2, 2, 2), before=before), server)
    time.sleep(0.3)
    assert time.monotonic() - began < 4
    assert stage.accepted == sorted(server.taken, key=int)
    assert len(stage.accepted) >= 2


def test_a_step_that_could_not_be_stored_is_part_of_the_next_one(stage):
    class Failing(HeldState):
        fails = 1

        def apply(self, step):
            if step.accepted and self.fails:
                self.fails -= 1
                raise StoreUnusable("full")
            super().apply(step)

    with pytest.raises(StoreUnusable):
        stage.run(
            PagesSource(*pages_of(*[2] * 6)),
            Server(lambda _: time.sleep(0.05)),
            ledger=Failing(stage.store, stage.lease),
        )
    # Whatever the cursor passed, its rows are in the store.
    assert set(stage.accepted) >= {str(n + 1) for n in range(2 * (stage.cursor or 0))}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 5), max_size=6), st.integers(1, 7), st.data())
def test_the_numbers_balance_and_nothing_is_lost_whatever_the_outcome(tmp_path_factory, sizes, rows, data):
    stage = Stage(tmp_path_factory.mktemp("balance"))
    bad = data.draw(st.sets(st.integers(1, max(1, sum(sizes))), max_size=2))
    ends = data.draw(st.sampled_from([None, QuotaExhausted("month"), DestinationMisconfigured("no"), RuntimeError()]))
    at = data.draw(st.integers(1, 8))
    limit = data.draw(st.none() | st.integers(1, 10))
    calls = []

    def judge(keys):
        calls.append(keys)
        if ends is not None and len(calls) >= at:
            raise ends
        if {str(n) for n in bad} & set(keys):
            raise ChunkRefused("no", "validation_error")

    server = Server(judge)
    try:
        stage.run(PagesSource(*pages_of(*sizes)), server, rows=rows, allowance=limited(limit))
    except Exception as error:
        if type(error) is not type(ends) and not isinstance(error, DestinationMisconfigured):
            raise
    done = set(stage.accepted) | set(stage.rejects)
    assert {str(n + 1) for n in range(sum(sizes[: stage.cursor or 0]))} <= done
    assert sorted(set(server.taken), key=int) == stage.accepted
    stage.store.close()


def test_rows_that_failed_together_are_sent_apart_until_the_bad_one_is_alone(stage):
    pages = pages_of(60)

    def judge(keys):
        return [{"email": f"{key}@x.example", "code": "BUSY"} for key in keys] if "7" in keys else None

    stage.run(PagesSource(*pages), Server(judge), rows=60)
    assert len(stage.store.due_redeliveries("s")) == 60
    second = Server(judge)
    stage.run(PagesSource(*pages), second, rows=60, since={"at": 1})
    assert sorted(len(call) for call in second.calls) == [10, 25, 25]
    third = Server(judge)
    stage.run(PagesSource(*pages), third, rows=60, since={"at": 1})
    assert {len(call) for call in third.calls} == {1}
    assert [one.key for one in stage.store.rejects("s")] == ["7"]


@pytest.mark.parametrize(
    ("attempts", "rows", "expected"), [(1, 100, 25), (2, 100, 1), (1, 100_000, 500), (2, 2_000, 10), (2, 201, 2)]
)
def test_many_rows_that_failed_alike_are_not_sent_one_by_one(attempts, rows, expected):
    assert rows_of_a_call(attempts, rows) == expected


def test_rows_that_failed_before_and_are_refused_again_do_not_stop_the_run(stage):
    stage.run(
        PagesSource(*pages_of(4)), Server(lambda keys: [{"email": f"{k}@x.example", "code": "BUSY"} for k in keys])
    )

    def refuse(keys):
        if set(keys) <= {"1", "2", "3", "4"}:
            raise ChunkRefused("no", "validation_error")

    assert stage.run(PagesSource(*pages_of(4, 4)), Server(refuse), since={"at": 1})
    assert {one.key for one in stage.store.rejects("s")} == {"1", "2", "3", "4"}
    assert set(stage.accepted) >= {"5", "6", "7", "8"}


def test_rows_that_are_bad_in_themselves_do_not_blame_the_map(stage):
    bad = {str(number) for number in range(1, 31)}

    def judge(keys):
        return [{"email": f"{key}@x.example", "code": "CONTENT_TOO_LARGE"} for key in keys if key in bad]

    assert stage.run(PagesSource(*pages_of(100)), Server(judge), rows=50)
    assert {one.key for one in stage.store.rejects("s")} == bad
    assert len(stage.accepted) == 70


def test_a_row_that_is_due_again_and_lies_in_a_page_is_sent_once(stage):
    stage.run(
        PagesSource(*pages_of(4)), Server(lambda keys: [{"email": f"{k}@x.example", "code": "BUSY"} for k in keys])
    )
    server = Server()
    stage.run(PagesSource(*pages_of(4)), server, rows=10)
    assert sorted(key for call in server.calls for key in call) == ["1", "2", "3", "4"]
