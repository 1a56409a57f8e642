"""Being told: what is worth a message, that there is one for each change, and that nothing waits for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from doubles.hook import Hook, Trickle
from fixtures_postgres import Database
from fixtures_serve import ServePlace, fill
from fixtures_state import failure, owner
from pydantic import SecretStr
from workplace import MAP

from connectors.variables import VariablesInvalid
from state import Store, open_store
from state.errors import StoreUnreachable
from state.values import Step, StoredRun
from sync import exits
from sync.notify import channels, conditions
from sync.notify.channels import Channel, Undelivered, Webhook, open_channels
from sync.notify.message import Message
from sync.notify.teller import Teller
from sync.sandbox import Sandbox
from sync.settings import Settings
from sync.summary import Summary


def ended(exit: int = 0, stream: str = "a", **numbers: int) -> Summary:
    words = {0: "ok", 3: "rejects", 7: "held", 143: "stopped"}
    return Summary(stream, words.get(exit, "failed"), exit=exit, message="it broke" if exit else "", **numbers)


def runs(*rows: int, status: str = "ok") -> list[StoredRun]:
    """Newest first."""
    return [StoredRun(n, "a", "run", 0.0, 1.0, status, {"read": read}) for n, read in enumerate(rows)]


# -- what is worth a message


def test_a_failure_is_told_once_and_its_end_too() -> None:
    after = conditions.after_run((), ended(4), 0, 0, None)
    assert conditions.changes((), after) == ["failed"]
    assert conditions.changes(after, conditions.after_run(after, ended(5), 0, 0, None)) == []
    assert conditions.changes(after, conditions.after_run(after, ended(0), 0, 0, None)) == ["recovered"]


@pytest.mark.parametrize("code", [exits.HELD, exits.TERMINATED, exits.INTERRUPTED])
def test_a_run_that_was_stopped_or_kept_out_says_nothing(code: int) -> None:
    assert conditions.after_run({"failed"}, ended(code), 0, 0, None) == {"failed"}
    assert conditions.after_run((), ended(code), 0, 0, None) == set()


def test_a_run_that_used_its_budget_says_nothing_and_one_that_waits_for_a_yes_is_a_failure() -> None:
    spent = replace(ended(exits.QUOTA), status="budget")
    assert conditions.after_run((), spent, 0, 0, None) == set()
    assert conditions.after_run({"failed"}, spent, 0, 0, None) == {"failed"}
    assert conditions.after_run((), replace(spent, status="unconfirmed"), 0, 0, None) == {"failed"}


def test_rejects_are_told_above_the_threshold_only() -> None:
    assert conditions.after_run((), ended(3), 10, 10, None) == set()
    assert conditions.after_run((), ended(3), 11, 10, None) == {"rejects"}
    assert conditions.changes({"rejects"}, conditions.after_run({"rejects"}, ended(0), 0, 0, None)) == []


@pytest.mark.parametrize(
    ("newest", "earlier", "told"),
    [
        (5000, [500] * 10, True),
        (4999, [500] * 10, False),
        (50, [500] * 10, True),
        (51, [500] * 10, False),
        (0, [99] * 10, False),
        (900, [5] * 10, False),
        (1000, [5] * 10, True),
        (0, [500] * 4, False),
        (0, [500, 500, 500, 3, 4, 500, 500], True),
        (7, [3, 4, 5, 90_000, 6, 7], False),
    ],
)
def test_rows_far_from_their_history_are_unusual(newest: int, earlier: list[int], told: bool) -> None:
    assert (conditions.unusual(runs(newest, *earlier)) is not None) is told


def test_failed_runs_are_no_history_and_are_not_judged() -> None:
    assert conditions.unusual([*runs(0, status="failed"), *runs(*[500] * 10)]) is None
    assert conditions.unusual([*runs(500), *runs(*[0] * 10, status="failed")]) is None


# -- one message for each change, across restarts


class Kept:
    """A channel that keeps messages, and can be closed for a while."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.refuses = 0

    def post(self, message: Message) -> None:
        if self.refuses:
            self.refuses -= 1
            raise Undelivered("example.com: answered 500")
        self.messages.append(message)

    @property
    def states(self) -> list[str]:
        return [message.state for message in self.messages]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/state.db") as store:
        yield store


class Office:
    """A teller with its channel; each telling waits until everything is delivered."""

    def __init__(self, store: Store) -> None:
        self.store, self.channel, self.warned = store, Kept(), list[str]()
        self.channels: dict[str, Channel] = {"webhook": self.channel}
        self.away = False

    def use(self) -> AbstractContextManager[Store]:
        if self.away:
            raise StoreUnreachable("away")
        return nullcontext(self.store)

    def begin(self) -> Teller:
        """A teller as after a restart."""
        return Teller(self.channels, 0, self.use, self.warned.append, pauses=(0.0, 0.0, 0.0))

    def tell(self, *summaries: Summary, teller: Teller | None = None) -> Teller:
        teller = teller or self.begin()
        for summary in summaries:
            teller.after_run(summary)
            teller.close(20)
        return teller


@pytest.fixture
def office(memory: Store) -> Office:
    return Office(memory)


def test_a_restart_does_not_tell_again(office: Office) -> None:
    office.tell(ended(4), ended(4))
    office.tell(ended(4))
    assert office.channel.states == ["failed"]
    office.tell(ended(0, sent=5))
    office.tell(ended(0))
    assert office.channel.states == ["failed", "recovered"]


def test_streams_are_told_apart(office: Office) -> None:
    office.tell(ended(4, "a"), ended(4, "b"), ended(0, "a"), ended(0, "b"))
    told = [(one.stream, one.state) for one in office.channel.messages]
    assert told == [("a", "failed"), ("b", "failed"), ("a", "recovered"), ("b", "recovered")]


def test_what_was_not_delivered_is_told_after_the_next_run(office: Office) -> None:
    office.channel.refuses = 4
    office.tell(ended(4))
    assert office.channel.states == []
    assert "not delivered: example.com: answered 500" in office.warned[0]
    office.tell(ended(4))
    assert office.channel.states == ["failed"]


def test_a_message_is_tried_again_three_times(office: Office) -> None:
    office.channel.refuses = 3
    office.tell(ended(4))
    assert office.channel.states == ["failed"]


def test_rejects_are_counted_in_the_store_and_named_by_reason_only(office: Office) -> None:
    with_rejects = office.store.acquire("a", owner())
    rows = [failure("ann@example.com", "BAD_EMAIL", final=True), failure("bob@example.com", "BAD_EMAIL", final=True)]
    office.store.apply(with_rejects, Step(rejects=rows))
    office.tell(ended(3, rejected=2))
    (message,) = office.channel.messages
    assert (message.state, message.counts["rejected"]) == ("rejects", 2)
    assert "2 BAD_EMAIL" in message.message
    assert "example.com" not in str(message.as_dict())


def test_one_row_is_told_of_in_the_singular(office: Office) -> None:
    rejecting = office.store.acquire("a", owner())
    office.store.apply(rejecting, Step(rejects=[failure("1", "BAD_EMAIL", final=True)]))
    office.tell(ended(3), ended(4), ended(0, sent=1))
    told = [message.message for message in office.channel.messages]
    assert told[0].startswith("1 row could not be delivered")
    assert told[-1] == "its last run ended well, 1 row sent"


def test_a_store_that_is_away_is_told_once_and_so_is_its_return(office: Office) -> None:
    office.away = True
    teller = office.tell(ended(8), ended(8), ended(8))
    assert office.channel.states == ["failed"]
    office.away = False
    office.tell(ended(0), ended(0), teller=teller)
    assert office.channel.states == ["failed", "recovered"]


def test_lateness_is_told_once_unless_the_failure_is_known(office: Office) -> None:
    teller = office.tell()
    teller.late("a", "has never succeeded")
    teller.close(20)
    office.tell().late("a", "has never succeeded")
    office.tell(ended(4, "b")).late("b", "has never succeeded")
    assert [(one.stream, one.state) for one in office.channel.messages] == [("a", "late"), ("b", "failed")]
    office.tell(ended(0, "a"))
    assert office.channel.states[-1] == "recovered"


def test_broken_maps_are_told_once_across_restarts_and_so_is_their_end(office: Office) -> None:
    for problems in (
        (),
        ("maps/b.yaml:1:1: stream: found 3", "maps/c.yaml: is empty"),
        ("maps/c.yaml: is empty",),
        (),
        (),
    ):
        teller = office.begin()
        teller.maps(problems)
        teller.close(20)
    assert [(one.stream, one.state, one.message) for one in office.channel.messages] == [
        ("property maps", "failed", "maps/b.yaml:1:1: stream: found 3; and 1 more"),
        ("property maps", "recovered", "all of them can be used again"),
    ]


def test_nothing_waits_for_a_channel_that_hangs(memory: Store) -> None:
    class Hanging:
        def __init__(self) -> None:
            self.go = threading.Event()

        def post(self, _: Message) -> None:
            self.go.wait(30)

    channel = Hanging()
    teller = Teller({"webhook": channel}, 0, lambda: nullcontext(memory), lambda _: None)
    began = time.monotonic()
    for number in range(50):
        teller.after_run(ended(4, f"s{number}"))
    teller.close(0.1)
    assert time.monotonic() - began < 20
    channel.go.set()


def test_a_channel_that_was_away_is_told_although_another_one_knows(office: Office) -> None:
    pager = Kept()
    office.channels["apprise-1"] = pager
    pager.refuses = 4
    office.tell(ended(4))
    assert (office.channel.states, pager.states) == (["failed"], [])
    office.tell(ended(4))
    assert (office.channel.states, pager.states) == (["failed"], ["failed"])
    pager.refuses = 4
    office.tell(ended(0))
    office.tell(ended(0), ended(0))
    assert office.channel.states == pager.states == ["failed", "recovered"]


def test_a_channel_that_hangs_keeps_no_other_one_waiting(office: Office) -> None:
    class Hanging(Kept):
        def post(self, _: Message) -> None:
            go.wait(30)

    go = threading.Event()
    office.channels = {"apprise-1": Hanging(), **office.channels}
    teller = office.begin()
    teller.after_run(ended(4))
    end = time.monotonic() + 20
    while not office.channel.states and time.monotonic() < end:
        time.sleep(0.01)
    assert office.channel.states == ["failed"]
    go.set()
    teller.close(20)


def test_what_is_over_before_it_could_be_delivered_is_not_told(office: Office) -> None:
    office.channel.refuses = 1
    teller = Teller(office.channels, 0, office.use, office.warned.append, pauses=(0.5, 0.5, 0.5))
    teller.after_run(ended(4))
    while office.channel.refuses:
        time.sleep(0.01)
    teller.after_run(ended(0))
    teller.close(20)
    assert office.channel.states == []
    assert office.store.told("a") == frozenset()


def test_a_recovery_is_told_after_a_failure_that_was_under_way(office: Office) -> None:
    class Slow(Kept):
        def post(self, message: Message) -> None:
            taking.set()
            go.wait(20)
            super().post(message)

    taking, go, slow = threading.Event(), threading.Event(), Slow()
    office.channels = {"webhook": slow}
    teller = office.begin()
    teller.after_run(ended(4))
    taking.wait(20)
    teller.after_run(ended(0))
    go.set()
    teller.close(20)
    assert slow.states == ["failed", "recovered"]


# -- channels


def test_a_webhook_gets_json_that_chat_programs_show_too() -> None:
    with Hook() as hook:
        Webhook(hook.url).post(Message("a", "failed", 4, "it broke", 0.0, {"sent": 1}))
    (posted,) = hook.posted
    assert posted["text"] == "memsync: a failed: it broke"
    assert (posted["stream"], posted["state"], posted["exit"], posted["counts"]) == ("a", "failed", 4, {"sent": 1})
    assert posted["at"] == "1970-01-01T00:00:00+00:00"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_any_other_answer_is_a_no_and_its_address_stays_secret(status: int) -> None:
    with Hook(status) as hook, pytest.raises(Undelivered, match=f"answered {status}") as told:
        Webhook(hook.url).post(Message("a", "failed", 4, "", 0.0))
    assert "secret" not in str(told.value)
    assert len(hook.posted) == 1


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_an_answer_that_trickles_without_end_holds_nobody_for_longer_than_the_deadline(
    answer: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels, "TIMEOUT", 0.6)
    with Trickle(answer) as trickle:
        began = time.monotonic()
        if answer.endswith(b"\r\n\r\n"):  # the status is all that counts
            Webhook(trickle.url).post(Message("a", "failed", 4, "", 0.0))
        else:
            with pytest.raises(Undelivered, match="no answer within"):
                Webhook(trickle.url).post(Message("a", "failed", 4, "", 0.0))
        assert time.monotonic() - began < 20


def test_a_name_and_password_in_the_address_are_sent_as_such() -> None:
    with Hook() as hook:
        Webhook(hook.url.replace("http://", "http://me:word@")).post(Message("a", "failed", 4, "", 0.0))
    assert hook.headers[0]["Authorization"] == "Basic bWU6d29yZA=="


@pytest.mark.parametrize("url", ["http://hooks.example.com/x", "ftp://localhost/x", "hooks", "https://", "http://[::1"])
def test_an_address_that_is_none_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(VariablesInvalid, match="MEMSYNC_NOTIFY_URL") as told:
        Webhook(url)
    assert "hooks.example" not in str(told.value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_apprise_reaches_its_addresses_and_refuses_others() -> None:
    pytest.importorskip("apprise")
    with Hook() as hook:
        address = hook.url.replace("http://", "json://")
        opened = open_channels(Settings(_env_file=None, memsync_notify_apprise=SecretStr(address)))
        opened["apprise-1"].post(Message("a", "failed", 4, "it broke", 0.0))
    assert hook.posted[0]["title"] == "memsync: a failed"
    with pytest.raises(VariablesInvalid, match="address 2 of 2"):
        open_channels(Settings(_env_file=None, memsync_notify_apprise=SecretStr(f"{address} nonsense")))


# -- memsync run


def test_a_run_tells_a_failure_and_its_recovery(serve_place: ServePlace, database: Database) -> None:
    fill(database, 1, 3)
    with Hook(500) as hook:
        serve_place.variables["MEMSYNC_NOTIFY_URL"] = hook.url
        serve_place.write_map(MAP.replace("public.customers", "public.nowhere"))
        assert serve_place.run().code == serve_place.run().code == 2
        serve_place.write_map(MAP)
        done = serve_place.run()
        assert done.code == 0, done.err
    assert hook.states == [
        ("customers", "failed"),
        ("customers", "failed"),
        ("customers", "recovered"),
    ]  # one was a 500
    assert hook.posted[2]["counts"]["sent"] == 3
    assert "example.com" not in str(hook.posted)
    assert "its-secret-path" not in done.err


def test_that_no_run_could_begin_is_told_once_and_its_end_too(
    serve_place: ServePlace, database: Database, serve_sandbox: Sandbox
) -> None:
    serve_place.write_map(MAP.replace("stream: customers", "stream: others"), "others.yaml")
    with Hook() as hook:
        serve_place.variables["MEMSYNC_NOTIFY_URL"] = hook.url
        serve_place.variables["PERSONIZE_SECRET_KEY"] = "not a key"
        assert serve_place.run().code == serve_place.run().code == 2
        assert sorted(hook.states) == [("customers", "failed"), ("others", "failed")]
        serve_place.variables["PERSONIZE_SECRET_KEY"] = "sk_test_1"
        assert serve_place.run().code == 0
        assert sorted(hook.states)[1::2] == [("customers", "recovered"), ("others", "recovered")]


def test_a_dry_run_tells_nobody(serve_place: ServePlace) -> None:
    serve_place.write_map(MAP.replace("public.customers", "public.nowhere"))
    serve_place.run()
    with Hook() as hook:
        serve_place.variables["MEMSYNC_NOTIFY_URL"] = hook.url
        serve_place.run("--dry-run")
    assert hook.posted == []
