"""Limits and guards as decisions: which rows may go, and when somebody has to be asked."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.values import StoredRun
from sync.chunks import Outgoing
from sync.costs import RATES, Rate, parse_rates
from sync.guards import (
    UNCONFIRMED,
    Allowance,
    Asked,
    Cap,
    caps_of,
    guard_against_much_text,
    guard_against_unusual,
    is_established,
    max_calls,
    open_runs,
    somebody_agreed,
    usual_of,
)
from sync.intake import Intake
from sync.maps.delivery import Limits

TEXT = Cap(2, "too much text", UNCONFIRMED, texts=True, question="Go on?")


def rows(marks):
    return [Outgoing(str(n), f"{n}@x", b"{}", b"", 1, None, mark == "t") for n, mark in enumerate(marks)]


def cut(allowance, marks, last=()):
    intake = allowance.cut(Intake(rows(marks), [], 0), lambda: set(last))
    return [row.key for row in intake.rows], intake.cut


def history(*sent, status="ok", command="run"):
    return [
        StoredRun(n, "s", command, 0.0, 1.0, status, {"sent": rows, "with_text": rows}) for n, rows in enumerate(sent)
    ]


def complete(runs):
    return [replace(run, summary={**run.summary, "complete": True}) for run in runs]


def test_without_caps_every_row_goes():
    allowance = Allowance()
    assert cut(allowance, "ttpp") == (["0", "1", "2", "3"], False)
    assert allowance.reached is None


def test_a_cap_holds_over_pages():
    allowance = Allowance([Cap(3, "enough")])
    assert cut(allowance, "pp") == (["0", "1"], False)
    assert cut(allowance, "pp") == (["0"], True)
    assert allowance.reached.why == "enough"


def test_a_cap_that_is_just_filled_cuts_nothing():
    allowance = Allowance([Cap(2, "enough")])
    assert cut(allowance, "pp") == (["0", "1"], False)
    assert cut(allowance, "") == ([], False)


def test_only_rows_with_text_count_for_a_guard_of_text():
    assert cut(Allowance([TEXT]), "ptptpp") == (["0", "1", "2", "3", "4", "5"], False)
    assert cut(Allowance([TEXT]), "ptptpt") == (["0", "1", "2", "3", "4"], True)


def test_rows_that_were_refused_before_are_the_first_to_be_left_aside():
    assert cut(Allowance([Cap(2, "enough")]), "ppp", last=["0"]) == (["1", "2"], True)


def test_a_person_who_agrees_is_asked_once():
    asked = []
    allowance = Allowance([TEXT], lambda question: asked.append(question) or True)
    assert cut(allowance, "ttt") == (["0", "1", "2"], False)
    assert cut(allowance, "ttt")[1] is False
    assert asked == ["Go on?"]


def test_a_person_who_declines_ends_the_run():
    assert cut(Allowance([TEXT], lambda _: False), "ttt") == (["0", "1"], True)


def test_a_limit_that_somebody_set_is_never_asked_about():
    assert cut(Allowance([Cap(1, "enough")], lambda _: True), "pp") == (["0"], True)


@given(st.lists(st.text("tp", max_size=8), max_size=6), st.integers(0, 12), st.integers(0, 12))
def test_no_cap_is_ever_passed(pages, most, texts):
    caps = [Cap(most, "rows"), Cap(texts, "texts", texts=True)]
    allowance, sent = Allowance(caps), []
    for marks in pages:
        intake = allowance.cut(Intake(rows(marks), [], 0), set)
        sent += intake.rows
        if intake.cut:
            break
    assert len(sent) <= most
    assert sum(row.has_text for row in sent) <= texts
    if allowance.reached is None:
        assert len(sent) == sum(map(len, pages))


def test_the_command_line_comes_before_the_map():
    limits = Limits(maxRows=5, maxCalls=7, maxCredits=9)
    rate = Rate(1, 2)
    assert [cap.rows for cap in caps_of(Asked(), limits, rate)] == [5, 4]
    assert [cap.rows for cap in caps_of(Asked(limit=3, max_rows=8, max_credits=20), limits, rate)] == [3, 8, 10]
    assert max_calls(Asked(), limits) == 7
    assert max_calls(Asked(max_calls=2), limits) == 2


def test_the_usual_number_needs_five_runs_that_sent_something():
    assert usual_of(history(10, 20, 30, 40)) is None
    assert usual_of(history(10, 0, 20, 0, 30, 40, 50)) == 30
    assert usual_of(history(10, 20, 30, 40, 50, status="failed")) is None
    assert usual_of(history(10, 20, 30, 40, 50, command="backfill")) is None


def test_few_rows_are_never_unusual():
    assert guard_against_unusual(Limits(), history(1, 1, 1, 1, 1), []).rows == 1000
    assert guard_against_unusual(Limits(), history(500, 500, 500, 500, 500), []).rows == 5000
    assert guard_against_unusual(Limits(timesUsual=None), history(1, 1, 1, 1, 1), []) is None
    assert guard_against_unusual(Limits(), [], []) is None


@pytest.mark.parametrize("status", [UNCONFIRMED, "failed", "stopped", "budget", "ok"])
def test_stopping_again_and_again_does_not_send_it_all_after_all(status):
    begun = history(0, status="running") + history(40, status=UNCONFIRMED) + history(900, status=status)
    runs = begun + complete(history(1, 1, 1, 1, 1))
    assert open_runs(runs, "run") == begun
    assert guard_against_unusual(Limits(), runs, begun).rows == 60
    assert guard_against_much_text(Limits(confirmAbove=2000), begun).rows == 1060
    assert guard_against_much_text(Limits(confirmAbove=None), []) is None


def test_a_backfill_is_no_run_and_no_run_a_backfill():
    parts = history(3, command="backfill --shard 0/2")
    assert open_runs(parts + complete(history(1)), "run") == []
    assert open_runs(parts + complete(history(1)), "backfill") == parts
    assert not is_established(complete(history(1, command="backfill")))
    assert is_established(history(1, status="failed") + complete(history(1)))
    assert not is_established(history(1))  # stopped at a limit


def test_consent_holds_until_everything_was_read():
    agreed = [replace(run, summary={**run.summary, "agreed": True}) for run in history(5, status="failed")]
    assert somebody_agreed(open_runs(history(2, status="budget") + agreed + complete(history(1)), "run"))
    assert not somebody_agreed(open_runs(complete(history(1)) + agreed, "run"))


def test_rates_are_read_as_they_are_written():
    assert parse_rates(RATES) == {
        "basic": Rate(1, 1),
        "pro": Rate(1, 2),
        "pro_fast": Rate(1, 2),
        "ultra": Rate(1, 5),
    }
    assert parse_rates("ultra=0.5, pro=3-4") == parse_rates(RATES) | {"ultra": Rate(0.5, 0.5), "pro": Rate(3, 4)}
