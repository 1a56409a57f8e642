"""What memory holds is known from what was accepted, and from nothing else."""

import pytest
from fixtures_state import Clock, failure, owner

from state import LeaseLost
from state.values import AcceptedChunk, Entry, Failure, Step
from sync.intake import in_doubt


@pytest.fixture
def lease(store):
    return store.acquire("contacts", owner())


def sent(key, fingerprint, *, event="e", leans=False):
    return Step([AcceptedChunk(event, [Entry(key, fingerprint, f"id-{key}", leans)])])


def test_a_version_that_may_have_arrived_makes_the_one_before_worth_nothing(store, lease):
    before, after = b"p" * 16 + b"textmark", b"q" * 16 + b"textmark"
    store.apply(lease, sent("a", before))
    store.apply(lease, Step(doubted=[Entry("a", in_doubt(before, after), ""), Entry("never sent", b"x", "")]))
    kept = store.fingerprints("contacts", ["a", "never sent"])
    assert list(kept) == ["a"]
    assert kept["a"].endswith(b"textmark")
    assert not kept["a"].startswith(b"p")


def test_a_text_that_may_have_been_replaced_counts_as_delivered_no_more():
    before, after = b"p" * 16 + b"samesame" + b"oldtextt", b"q" * 16 + b"newtextt" + b"samesame"
    assert in_doubt(before, after)[16:] == b"samesame"


def test_a_row_whose_text_went_with_a_delivery_that_failed_meanwhile_stays_due(store, lease):
    store.apply(lease, sent("a", b"one", event="e1"))
    (first,) = store.unsettled("contacts")
    store.settle(lease, first, [failure("a")])
    store.apply(lease, sent("a", b"two", event="e2", leans=True))
    assert [one.key for one in store.due_redeliveries("contacts")] == ["a"]
    assert store.fingerprints("contacts", ["a"]) == {}
    (second,) = store.unsettled("contacts")
    store.settle(lease, second, [])
    assert [one.key for one in store.due_redeliveries("contacts")] == ["a"]


def test_a_row_that_went_whole_makes_an_earlier_failure_good(store, lease):
    store.apply(lease, sent("a", b"one", event="e1"))
    (first,) = store.unsettled("contacts")
    store.settle(lease, first, [failure("a")])
    store.apply(lease, sent("a", b"two", event="e2"))
    assert store.due_redeliveries("contacts") == []
    assert store.fingerprints("contacts", ["a"]) == {"a": b"two"}


def test_a_reject_does_not_leave_the_list_for_a_row_without_its_text(store, lease):
    store.apply(lease, sent("a", b"one", event="e1"))
    (first,) = store.unsettled("contacts")
    store.settle(lease, first, [Failure("a", "CONTENT_TOO_LARGE", "too large", final=True)])
    store.apply(lease, sent("a", b"two", event="e2", leans=True))
    assert [one.key for one in store.rejects("contacts")] == ["a"]
    assert store.fingerprints("contacts", ["a"]) == {}


@pytest.mark.parametrize(("held", "wanted"), [("#0/2", ""), ("", "#0/2"), ("#0/4", "#1/3")])
def test_whoever_stood_still_while_another_division_was_taken_can_write_nothing(store, clock: Clock, held, wanted):
    late = store.acquire("s", owner("a"), held)
    clock.advance(3600)
    store.release(store.acquire("s", owner("b"), wanted))
    with pytest.raises(LeaseLost):
        store.apply(late, sent("x", b"f"))
    with pytest.raises(LeaseLost):
        store.renew(late)
