"""What is gone from a source: counted once, by what became of it, and forgotten."""

from sync.absence import Sweep


def ended(named, delivered):
    sweep = Sweep()
    for key in named:
        sweep.see([key])
    return list(sweep.end(delivered))


def test_what_was_delivered_and_not_named_is_absent():
    assert ended(["1", "3", "new"], ["1", "2", "3"]) == ["2"]


def test_the_first_part_of_a_composite_key_names_all_that_begin_with_it():
    assert ended(['["7",'], ['["7","1"]', '["7","2"]', '["70","1"]']) == ['["70","1"]']


def test_the_next_sweep_starts_from_nothing():
    sweep = Sweep()
    sweep.see(["1"])
    assert list(sweep.end(["1"])) == []
    assert list(sweep.end(["1"])) == ["1"]
