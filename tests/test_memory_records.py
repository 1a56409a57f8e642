"""Records as memory gives them back, in each of the shapes that servers give them."""

from __future__ import annotations

import pytest

from sync.maps.row import Identity
from sync.memory.errors import DestinationUnavailable
from sync.memory.records import Stored, digested, identity_digest, identity_search, is_cut, listing_of

CELL = {"value": "CTO", "collectionId": "col_1", "collectionName": "Contacts"}


@pytest.mark.parametrize(
    "records",
    [
        {"rec_1": {"job_title": CELL}},
        {"rec_1": {"job_title": "CTO"}},
        {"rec_1": {"properties": {"job_title": CELL}, "type": "contact"}},
        [{"recordId": "rec_1", "properties": {"job_title": "CTO"}}],
        [{"id": "rec_1", "type": "contact", "job_title": CELL}],
    ],
)
def test_a_record_is_read_in_every_shape(records: object) -> None:
    found = listing_of({"recordIds": ["rec_1"], "totalMatched": 7, "records": records})
    assert found.total == 7
    assert [(one.id, one.properties) for one in found.records] == [("rec_1", {"job_title": "CTO"})]


def test_a_property_may_be_named_like_a_member_of_a_record() -> None:
    records = {"rec_1": {"type": {"value": "lead"}, "id": {"value": 5}}}
    assert listing_of({"records": records}).records[0].properties == {"type": "lead", "id": 5}


def test_memories_are_told_or_not_told() -> None:
    def texts(**data: object) -> object:
        return listing_of({"records": {"rec_1": {"a": 1}}, **data}).records[0].memories

    assert texts() is None
    assert texts(memories={}) == []
    assert texts(memories={"rec_1": [{"text": "one"}, "two", {"content": "three"}]}) == ["one", "two", "three"]
    within = listing_of({"records": [{"recordId": "rec_1", "properties": {"a": 1}, "memories": [{"text": "one"}]}]})
    assert within.records == [Stored("rec_1", {"a": 1}, ["one"])]


def test_an_answer_that_names_records_and_does_not_hold_them_is_refused() -> None:
    with pytest.raises(DestinationUnavailable, match="names 2 records and holds 1"):
        listing_of({"recordIds": ["a", "b"], "totalMatched": 2, "records": {"a": {}}})


def test_nothing_found_is_nothing() -> None:
    assert listing_of({"recordIds": [], "totalMatched": 0, "records": {}}).records == []
    assert listing_of({"totalMatched": 0}).records == []
    assert listing_of({"totalMatched": True}).total is None


def test_a_digest_is_read_and_its_budget_is_always_stated() -> None:
    data = {"recordId": "rec_1", "properties": {"a": 1}, "memories": [{"text": "one"}], "tokenEstimate": 95}
    assert digested(data) == Stored("rec_1", {"a": 1}, ["one"])
    assert digested({}) is None
    assert is_cut(data, 100)
    assert not is_cut(data, 1000)
    own = Identity("customKey", "number", "studentNumber")
    asked = {"type": "student", "customKeyName": "studentNumber", "customKeyValue": "S-1", "token_budget": 500}
    assert identity_digest("student", own, "S-1", 500) == asked
    website = Identity("website", "site")
    assert identity_digest("company", website, "x.co", 9)["website_url"] == "x.co"
    assert identity_search("company", website, "x.co")["websiteUrl"] == "x.co"
    assert {"page", "pageSize"} <= identity_search("company", website, "x.co").keys()
