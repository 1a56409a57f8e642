"""The stand-in for HubSpot: search, with its cap, its order, its lag and its filters."""

import pytest
from hubspot_calls import START, Clock, account, found, listed, people, read, search, where


def window(low, high):
    return {"filterGroups": where("lastmodifieddate", "BETWEEN", value=str(low), highValue=str(high))}


def test_more_records_on_one_millisecond_than_a_search_gives_are_found_by_ranges_of_ids():
    with account() as (crm, client):
        ids = crm.add("contacts", people(10_400), at=START)
        page = search(client, limit=200, after="9800", **window(START, START))
        assert page["total"] == 10_400
        assert page["paging"]["next"]["after"] == "10000"
        past = client.post("/crm/v3/objects/contacts/search", json={**window(START, START), "after": "10000"})
        assert past.status_code == 400
        at_once = window(START, START)["filterGroups"][0]["filters"]
        halves = [
            [*at_once, {"propertyName": "hs_object_id", "operator": "BETWEEN", "value": low, "highValue": high}]
            for low, high in ((ids[0], ids[5199]), (ids[5200], ids[-1]))
        ]
        both = [one for half in halves for one in found(client, filterGroups=[{"filters": half}])]
        assert sorted(map(int, both)) == sorted(map(int, ids))


def test_results_come_in_no_order_though_one_was_asked_for():
    with account() as (crm, client):
        ids = crm.add("contacts", people(25_000), at=lambda number: START + number * 24)
        first = {"sorts": [{"propertyName": "lastmodifieddate", "direction": "ASCENDING"}]}
        some = found(client, **first, **window(START, START + 9_000 * 24 - 1))
        assert some != sorted(some, key=int)
        assert sorted(some, key=int) == ids[:9_000]
        crm.options.order = "sorted"
        assert found(client, **first, **window(START, START + 9_000 * 24 - 1)) == ids[:9_000]


def test_pages_are_short_or_empty_where_records_are_gone_and_still_lead_on():
    with account() as (crm, client):
        ids = crm.add("contacts", people(500), at=START)
        for one in [*ids[100:200], *ids[230:260]]:
            crm.archive("contacts", one)
        assert [len(page) for page in listed(client)] == [100, 0, 70, 100, 100]
        crm.options.index_lag = 60
        for one in ids[300:]:
            crm.archive("contacts", one)
        page = search(client, limit=200)
        assert page["total"] == 370
        assert len(page["results"]) < 200
        assert page["paging"]["next"]["after"] == "200"
        assert sorted(found(client), key=int) == [*ids[:100], *ids[200:230], *ids[260:300]]


def test_a_change_between_search_and_batch_read_shows_in_the_read():
    with account() as (crm, client):
        (one,) = crm.add("contacts", people(1), at=START)
        crm.before("batch_read", lambda: crm.change("contacts", one, {"firstname": "B"}, at=START + 5))
        assert found(client, **window(START, START)) == [one]
        (record,) = read(client, [one], properties=["firstname"]).json()["results"]
        assert record["properties"]["firstname"] == "B"
        assert record["updatedAt"] == "2024-05-06T07:08:09.128Z"


def test_a_record_is_searchable_only_after_the_lag_but_can_be_read_at_once():
    clock = Clock()
    with account(index_lag=1200, clock=clock) as (crm, client):
        (one,) = crm.add("contacts", people(1))
        assert found(client) == []
        assert [record["id"] for record in read(client, [one]).json()["results"]] == [one]
        clock.now += 1200
        assert found(client) == [one]


def test_a_changed_record_is_found_by_its_old_stamp_and_shown_with_its_new_one_while_the_index_lags():
    with account() as (crm, client):
        (one,) = crm.add("contacts", people(1), at=START)
        crm.options.index_lag = 60
        crm.change("contacts", one, {"firstname": "B"}, at=START + 10_000)
        assert search(client, **window(START + 1, START + 20_000))["total"] == 0
        (record,) = search(client, **window(START, START))["results"]
        assert record["updatedAt"] == "2024-05-06T07:08:19.123Z"
        crm.options.fresh_values = False
        (record,) = search(client, **window(START, START))["results"]
        assert record["updatedAt"] == "2024-05-06T07:08:09.123Z"


@pytest.mark.parametrize(
    ("filter", "matches"),
    [
        (("lastmodifieddate", "GT", {"value": str(START)}), "bc"),
        (("lastmodifieddate", "GTE", {"value": "2024-05-06T07:08:09.124Z"}), "bc"),
        (("lastmodifieddate", "LT", {"value": str(START + 1)}), "a"),
        (("lastmodifieddate", "LTE", {"value": str(START + 1)}), "ab"),
        (("lastmodifieddate", "EQ", {"value": str(START + 1)}), "b"),
        (("lastmodifieddate", "BETWEEN", {"value": str(START), "highValue": str(START + 1)}), "ab"),
        (("hs_object_id", "IN", {"values": ["9999", "10001"]}), "ac"),
        (("hs_object_id", "GT", {"value": "9999"}), "bc"),
        (("firstname", "EQ", {"value": "ANNE"}), "a"),
        (("firstname", "NEQ", {"value": "anne"}), "b"),
        (("firstname", "IN", {"values": ["anne", "bob"]}), "ab"),
        (("firstname", "IN", {"values": ["Anne"]}), ""),
        (("firstname", "NOT_IN", {"values": ["bob"]}), "a"),
        (("firstname", "HAS_PROPERTY", {}), "ab"),
        (("firstname", "NOT_HAS_PROPERTY", {}), "c"),
        (("email", "CONTAINS_TOKEN", {"value": "*@x.example"}), "ab"),
        (("email", "NOT_CONTAINS_TOKEN", {"value": "x"}), "c"),
    ],
)
def test_filters_are_evaluated(filter, matches):
    with account() as (crm, client):
        rows = [
            {"hs_object_id": "9999", "firstname": "Anne", "email": "anne@x.example"},
            {"hs_object_id": "10000", "firstname": "Bob", "email": "bob@x.example"},
            {"hs_object_id": "10001", "firstname": "", "email": "c@y.example"},
        ]
        crm.add("contacts", rows, at=lambda number: START + number)
        name, operator, rest = filter
        ids = found(client, filterGroups=where(name, operator, **rest))
        assert sorted("abc"[int(one) - 9999] for one in ids) == list(matches)


def test_groups_are_alternatives_and_ids_can_compare_as_text():
    with account(ids_compare_as="text") as (crm, client):
        crm.add("contacts", people(200), at=START)
        either = where("firstname", "EQ", value="n1") + where("firstname", "EQ", value="n2")
        assert search(client, filterGroups=either)["total"] == 2
        assert search(client, filterGroups=where("hs_object_id", "GTE", value="9901"))["total"] == 99
