"""What the pages show, from values: the metrics to the letter, the status page in every state."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from typing import Any

import pytest
from workplace import MAP

from state.overview import StreamState
from state.values import StoredRun
from sync.maps.load import load_text
from sync.serve.board import Picture, StreamView
from sync.serve.chart import rows_chart
from sync.serve.metrics import exposition
from sync.serve.page import status_page
from sync.serve.tally import Tally
from sync.serve.web import Pages
from sync.summary import Summary

NOW = 1_767_268_800.0
HOSTILE = """<script>alert(1)</script>"'\\\n&lt;"""


def view(
    name: str = "customers", next_run: float | None = NOW + 600, late: str | None = None, **state: Any
) -> StreamView:
    schedule = '\nschedule: {cron: "0 * * * *"}\n' if next_run is not None else ""
    found = load_text(MAP.replace("stream: customers", f"stream: {name}") + schedule)
    return StreamView(found, StreamState(name, **state), next_run, late, 120.0 if state.get("runs") else None)


def run(status: str = "ok", sent: int = 10, message: str = "", began: float = 60) -> StoredRun:
    ended = None if status == "running" else NOW - began + 1
    return StoredRun(1, "customers", "run", NOW - began, ended, status, {"sent": sent, "message": message})


def picture(*views: StreamView, tally: Tally | None = None, **more: Any) -> Picture:
    counts = tally.counts() if tally else {}
    facts: dict[str, Any] = {"map_problems": (), "trouble": None, "queued": 0, "others": 0}
    return Picture(NOW, views, counts, **(facts | more))


# -- metrics

_NAME, _LABEL = r"[a-zA-Z_:][a-zA-Z0-9_:]*", r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\\\|\\"|\\n)*"'
_SAMPLE = re.compile(rf"({_NAME})(?:\{{({_LABEL}(?:,{_LABEL})*)\}})? (\S+)")


def parsed(text: str) -> dict[str, dict[str, float]]:
    """The samples of each family by their labels; fails on anything that the format does not allow."""
    assert text.endswith("\n")
    families: dict[str, dict[str, float]] = {}
    kinds: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert re.fullmatch(_NAME, name)
            assert name not in families, f"{name} comes twice"
            families[name] = {}
        elif line.startswith("# TYPE "):
            assert line.split(" ")[2] == name
            kinds[name] = line.split(" ")[3]
            assert kinds[name] in ("counter", "gauge", "histogram")
        else:
            found = _SAMPLE.fullmatch(line)
            assert found, line
            suffixes = ("_bucket", "_sum", "_count") if kinds[name] == "histogram" else ("",)
            assert found[1] in [name + suffix for suffix in suffixes], line
            key = f"{found[1].removeprefix(name)}{{{found[2] or ''}}}"
            assert key not in families[name], f"{line} comes twice"
            families[name][key] = float(found[3])
            assert math.isfinite(families[name][key])
    for name, kind in kinds.items():
        assert (kind == "counter") == name.endswith("_total")
    return families


def counted() -> Tally:
    tally = Tally()
    tally.begin("customers")
    for status in (200, 429, None):
        tally.call("customers", status)
    tally.end(Summary("customers", "rejects", sent=7, accepted=7, rejected=1, seconds=4.5))
    return tally


def test_the_exposition_is_what_prometheus_reads() -> None:
    shown = view(runs=[run()], success_ended=NOW - 60, rejects={HOSTILE: 3}, unsettled_events=2, unsettled_rows=20)
    found = parsed(exposition(picture(shown, view("b"), tally=counted()), NOW).decode())
    assert found["memsync_rows_total"]['{stream="customers",outcome="sent"}'] == 7
    assert found["memsync_calls_total"] == {'{stream="customers"}': 3}
    assert found["memsync_rate_limited_total"] == {'{stream="customers"}': 1}
    assert found["memsync_runs_total"] == {'{stream="customers",status="rejects"}': 1}
    assert found["memsync_unsettled_rows"] == {'{stream="customers"}': 20, '{stream="b"}': 0}
    assert found["memsync_lag_seconds"] == {'{stream="customers"}': 120}
    assert sum(found["memsync_rejects"].values()) == 3
    buckets = [v for k, v in found["memsync_run_duration_seconds"].items() if k.startswith("_bucket")]
    assert buckets == [0, 1, 1, 1, 1, 1, 1, 1]
    assert found["memsync_run_duration_seconds"]['_sum{stream="customers"}'] == 4.5


def test_an_empty_exposition_is_one_too() -> None:
    assert parsed(exposition(picture(), NOW).decode())["memsync_ready"] == {"{}": 0}


def test_counters_never_go_down() -> None:
    tally = Tally()
    tally.begin("a")
    summary = Summary("a", sent=5, rejected=2)
    tally.see(summary)
    summary.sent, summary.rejected = 9, 0  # a dry run takes numbers back, and a wrong map its rejects
    tally.end(summary)
    assert tally.counts()["a"].rows["sent"] == 9
    assert tally.counts()["a"].rows["rejected"] == 2
    tally.begin("a")
    tally.end(Summary("a", sent=1))
    assert tally.counts()["a"].rows["sent"] == 10


# -- the page


class _Reader(HTMLParser):
    """Fails on a tag that is not closed, and on anything that a browser would run."""

    VOID = frozenset({"meta", "link", "br", "rect"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "img", "iframe")
        assert not [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page_text(shown: Picture) -> str:
    reader = _Reader()
    reader.feed(status_page(shown).decode())
    reader.close()
    assert reader.open == []
    return " ".join(" ".join(reader.text).split())


def test_the_page_says_at_once_whether_all_is_well() -> None:
    assert "All streams are well" in page_text(picture(view(runs=[run()])))
    assert "1 stream needs attention" in page_text(picture(view(runs=[run("failed")]), view("b", runs=[run()])))
    assert "2 streams need attention" in page_text(picture(view(late="x"), view("b", runs=[run("killed")])))
    assert "Not ready" in page_text(picture(view(), trouble="the store is away"))


def test_a_failure_is_shown_with_its_reason() -> None:
    text = page_text(picture(view(runs=[run("failed", message="public.nowhere: there is no such table")])))
    assert "public.nowhere: there is no such table" in text


def test_what_waits_and_what_was_rejected_is_counted_with_reasons() -> None:
    shown = view(
        runs=[run()], rejects={"BAD_EMAIL": 1200}, unsettled_rows=40, unsettled_events=4, oldest_unsettled=NOW - 90
    )
    text = page_text(picture(shown))
    assert "BAD_EMAIL 1,200" in text
    assert "Waiting on the server" in text
    assert "1 min ago" in text


def test_streams_without_a_schedule_are_listed_with_what_to_do() -> None:
    text = page_text(picture(view("by-hand", next_run=None), others=1))
    assert "Without a schedule, so never run here: by-hand" in text
    assert "The state store knows 1 stream without a map" in text


def test_no_map_at_all_says_what_to_do() -> None:
    assert "Put a map into the folder" in page_text(picture())


def test_hostile_words_stay_words() -> None:
    shown = view(runs=[run("failed", message=HOSTILE)], rejects={HOSTILE: 1}, late=HOSTILE)
    raw = status_page(picture(shown, map_problems=(HOSTILE,), trouble=HOSTILE)).decode()
    assert "<script" not in raw
    page_text(picture(shown, map_problems=(HOSTILE,), trouble=HOSTILE))


def test_secrets_in_messages_are_masked() -> None:
    shown = picture(view(runs=[run("failed", message="sk_live_abcdefghijkl")]), trouble="postgresql://u:wordpass@h/d")
    text = page_text(shown)
    assert "abcdefghijkl" not in text
    assert "wordpass" not in text


@pytest.mark.parametrize("runs", [[], [run("running")]])
def test_a_chart_of_nothing_says_so(runs: list[StoredRun]) -> None:
    assert rows_chart(runs) == '<span class="none">no run yet</span>'


def test_a_chart_has_a_bar_for_each_run_the_newest_on_the_right() -> None:
    chart = rows_chart([run(sent=10), run("failed", sent=0), run(sent=0), run(sent=40)])
    bars = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)"[^>]*height="([\d.]+)"([^>]*)>', chart)
    assert [float(bar[0]) for bar in bars] == [0, 6, 12, 18]
    assert [bar[3] for bar in bars] == ["", ' class="zero"', ' class="bad"', ""]
    assert (float(bars[0][2]), float(bars[3][2])) == (32, 8)
    assert all(float(y) + float(height) == 32 for _, y, height, _ in bars)


def test_a_chart_is_full_with_its_last_bar_at_the_right_edge() -> None:
    bars = re.findall(r'<rect x="([\d.]+)"', rows_chart([run(sent=10)] * 40))
    assert (len(bars), float(bars[0]), float(bars[-1])) == (30, 0, 174)


def test_a_chart_of_one_run_counts_in_the_singular() -> None:
    assert "rows sent by the only run: 1 by the newest" in rows_chart([run(sent=1)])
    assert "<title>ok, 1 row</title>" in rows_chart([run(sent=1)])


def test_a_run_that_somebody_has_to_agree_to_needs_attention_and_one_that_used_its_budget_does_not() -> None:
    waits = page_text(picture(view(runs=[run("unconfirmed", message="give --yes")])))
    assert "1 stream needs attention" in waits
    assert "What is wrong Stream Reason customers give --yes" in waits
    goes_on = view(runs=[run("budget", message="stopped after 500 rows; the next run goes on")])
    text = page_text(picture(goes_on))
    assert "All streams are well" in text
    assert "customers: stopped after 500 rows; the next run goes on" in text
    assert "What is wrong" not in text
    assert 'class="bad"' not in rows_chart(goes_on.state.runs)


# -- the endpoints


def test_readiness_names_what_is_missing_and_health_only_needs_a_living_process() -> None:
    pages = Pages(lambda: picture(view(), trouble="postgresql://u:wordpass@h/d: is away"), lambda: 0.0)
    assert pages.answer("/readyz").status == 503
    assert b"is away" in pages.answer("/readyz").body
    assert b"wordpass" not in pages.answer("/readyz").body
    assert pages.answer("/healthz").status == 200
    assert Pages(lambda: picture(view()), lambda: 0.0).answer("/readyz").status == 200
    assert Pages(lambda: picture(view()), lambda: 1e4).answer("/healthz").status == 503
