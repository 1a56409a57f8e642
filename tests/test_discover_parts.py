"""Identity, collections and the written text of a proposed map, each by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base import Field, Reading, SourceMisconfigured
from sync.discover.fates import complete, fates, used_fields
from sync.discover.fitting import Shelf, known_from, shelf_for_facts, shelf_for_words
from sync.discover.identity import Identity, candidates, entity_of, identity_of
from sync.discover.judgement import judge
from sync.discover.line import Line
from sync.discover.looking import Look
from sync.discover.naming import named
from sync.discover.opening import Place
from sync.discover.proposal import Proposal, propose
from sync.discover.words import plural, property_name, singular
from sync.discover.writing import flow
from sync.maps.document import read_document
from sync.maps.load import load_files

MAPPINGS = Path(__file__).parent.parent / "mappings"


def looked(fields, records=(), object_="public.things", key=("id",), connector="postgres"):
    reading = Reading(key, None, None) if key else None
    look = Look(Place(connector, object_), tuple(fields), tuple(records), reading)
    return look, judge(look.fields, look.records)


def rows(number=30, **columns):
    return [{name: make(n) for name, make in columns.items()} for n in range(number)]


TEXTS = [Field("id", "integer", is_key=True), Field("email", "text"), Field("owner_email", "text")]


def test_an_address_that_tells_records_apart_is_the_identity():
    look, judged = looked(TEXTS, rows(id=int, email=lambda n: f"p{n}@x.example", owner_email=lambda n: "a@x.example"))
    found = identity_of(look, judged)
    assert (found.kind, found.path, found.entity, found.doubtful) == ("email", "email", "contact", False)


def test_an_address_that_many_records_share_is_none():
    look, judged = looked(TEXTS, rows(id=int, email=lambda n: f"p{n % 3}@x.example", owner_email=lambda n: None))
    found = identity_of(look, judged)
    assert (found.kind, found.path, found.key_name) == ("customKey", "id", "postgres_thing_id")


def test_a_column_called_email_that_holds_none_is_none():
    look, judged = looked(TEXTS, rows(id=int, email=lambda n: f"see page {n}", owner_email=lambda n: None))
    assert identity_of(look, judged).kind == "customKey"


def test_an_address_under_another_name_is_found_by_what_is_in_it_and_is_doubtful():
    fields = [Field("id", "integer", is_key=True), Field("login", "text")]
    sample = rows(id=int, login=lambda n: f"p{n}@x.example")
    found = identity_of(*looked(fields, sample, "public.members"))
    assert (found.path, found.doubtful) == ("login", True)


ADDRESSES = [Field("id", "integer", is_key=True), *(Field(name, "text") for name in (
    "billing_email", "personal_email", "work_email", "manager_email", "email"))]  # fmt: skip


@pytest.mark.parametrize("object_", ["public.leads", "public.signups"])
@pytest.mark.parametrize(
    ("filled", "found"),
    [({"work_email": 1, "personal_email": 2}, "work_email"), ({"work_email": 2, "personal_email": 1}, "personal_email"),
     ({"work_email": 1}, "work_email"), ({"work_email": 2, "billing_email": 1}, "work_email"),
     ({"email": 2, "work_email": 1}, "work_email"), ({"email": 1, "work_email": 1}, "email"),
     ({"manager_email": 1}, "id")],
)  # fmt: skip
def test_of_several_addresses_the_one_that_most_records_have_is_taken(object_, filled, found):
    def address(name):
        return lambda n: f"{name}{n}@x.example" if name in filled and n % filled[name] == 0 else None

    sample = rows(id=int, **{one.name: address(one.name) for one in ADDRESSES[1:]})
    look, judged = looked(ADDRESSES, sample, object_)
    assert identity_of(look, judged).path == found
    assert {one.path for one in candidates(look, judged)} == {*filled, "id"} - {"manager_email"}


def test_a_deal_that_names_somebodys_address_is_not_that_person():
    fields = [Field("id", "integer", is_key=True), Field("business_contact_email", "text")]
    sample = rows(id=int, business_contact_email=lambda n: f"p{n}@x.example")
    for records in (sample, ()):
        assert identity_of(*looked(fields, records, "public.deals")).path == "id"


def test_companies_are_known_by_a_website_that_nearly_all_have_and_none_share():
    fields = [Field("id", "integer", is_key=True), Field("website", "text")]
    own = rows(id=int, website=lambda n: f"https://c{n}.example")
    shared = rows(id=int, website=lambda n: f"https://c{n // 4}.example")
    assert identity_of(*looked(fields, own, "public.companies")).kind == "website"
    assert identity_of(*looked(fields, shared, "public.companies")).kind == "customKey"
    assert identity_of(*looked(fields, own, "public.things")).kind == "customKey"


def test_nothing_that_tells_records_apart_is_an_error_with_a_remedy():
    look, judged = looked([Field("plan", "text")], rows(plan=lambda n: "free"), key=None)
    assert candidates(look, judged) == []
    with pytest.raises(SourceMisconfigured, match="--identity FIELD"):
        identity_of(look, judged)


@pytest.mark.parametrize(
    ("name", "entity"),
    [("public.customers", "contact"), ("Account", "company"), ("Opportunity", "deal"), ("sales.order_lines",
     "order_line"), ("tickets", "ticket"), ("addresses", "address"), ("News", "news")],
)  # fmt: skip
def test_an_object_becomes_the_entity_that_one_record_is(name, entity):
    assert entity_of(Look(Place("postgres", name), ())) == entity


@pytest.mark.parametrize(
    ("one", "several"), [("company", "companies"), ("box", "boxes"), ("day", "days"), ("deal", "deals")]
)
def test_one_and_several(one, several):
    assert (plural(one), singular(several)) == (several, one)


def collection(id_, name, **more):
    return {"id": id_, "payload": {"collectionId": id_, "collectionName": name, **more}}


def test_collections_are_matched_by_name_then_by_description():
    known = known_from([
        collection("c1", "Kunden", description="Our contacts and leads"),
        collection("c2", "Call notes"),
        collection("c3", "DEALS", properties=[{"propertyName": "Deal Name"}, {"systemName": "amount"}]),
    ])  # fmt: skip
    facts = shelf_for_facts("contact", known)
    assert (facts.name, facts.remark) == ("Kunden", "")
    assert shelf_for_words("contact", known, facts).name == "Call notes"
    deals = shelf_for_facts("deal", known)
    assert (deals.name, deals.properties) == ("DEALS", ("Deal Name", "amount"))
    assert shelf_for_words("deal", known, deals) == deals


def test_where_nothing_fits_the_nearest_is_taken_with_a_question():
    known = known_from([collection("c1", "Contact"), collection("c2", "Products")])
    found = shelf_for_facts("invoice", known)
    assert found.name == "Contact"
    assert "no collection is called Invoices or alike" in found.remark


def test_two_collections_of_one_name_are_told_apart_by_id():
    known = known_from([collection("c1", "Contacts"), collection("c2", "contacts")])
    assert shelf_for_facts("contact", known) == Shelf("Contacts", "c1")


def test_without_a_key_the_usual_names_come_with_a_remark():
    assert "must exist" in shelf_for_facts("contact", None).remark
    assert "create Contacts" in shelf_for_facts("contact", []).remark


def test_odd_answers_about_collections_are_passed_over():
    odd = [{}, {"payload": None}, {"payload": {"collectionName": "x"}}, collection("c", "Contacts", properties="none")]
    assert [one.name for one in known_from(odd)] == ["Contacts"]


WORDS = st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zl", "Zp", "Cn", "Co", "Cf"]), min_size=1)


@given(st.dictionaries(WORDS, st.one_of(WORDS, st.booleans(), st.none(), st.lists(WORDS)), min_size=1))
def test_what_is_written_on_one_line_is_read_back_as_it_was(document):
    found = read_document("made", f"it: {flow(document)}\n")
    assert found.problems == [] or "<<" in document
    assert found.value == {"it": document} or "<<" in document


@pytest.mark.parametrize("path", sorted(MAPPINGS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_ready_maps_and_the_proposed_ones_call_the_same_field_the_same(path):
    ready = load_files([path])[0]
    place = Place(ready.source.connector, ready.source.object)
    parents = set(Look(place, ()).model.parents.values())
    wanted = {
        one.source_field: name
        for name, one in ready.mapping.properties.items()
        if one.source_field and name != "salesforce_id" and ("." not in one.source_field or one.source_field in parents)
    }
    labels = {"closedate": "", "CloseDate": "Close Date"}
    lines = tuple(
        Line(property_name(one, labels.get(one, ""), ()), one, extract=ready.mapping.properties[name].extract_memories)
        for one, name in wanted.items()
    )
    identity = Identity("email", "email", ready.mapping.entity_type, "")
    made = named(Proposal("s", Look(place, ()), identity, lines, (), {}))
    assert {line.source: line.name for line in made.facts} == wanted


def test_two_fields_of_one_meaning_get_two_names_and_the_one_that_has_the_name_keeps_it():
    shelf = Shelf("Contacts", properties=("company_name", "Job Title"))
    lines = tuple(Line(name, name, shelf=shelf) for name in ("company", "company_name", "jobtitle", "title"))
    made = Proposal("s", Look(Place("postgres", "public.x"), ()), Identity("email", "e", "contact", ""), lines, (), {})
    assert [line.name for line in named(made).facts] == ["company", "company_name", "Job Title", "title"]
    bare = tuple(Line(line.name, line.source) for line in lines)
    made = Proposal("s", made.look, made.identity, bare, (), {})
    names = [line.name for line in named(made).facts]
    assert (names[1], len(set(names))) == ("company_name", 4)


def test_every_field_is_used_or_left_out_with_a_reason():
    fields = [Field("id", "integer", is_key=True), *(Field(name, "text") for name in (
        "email", "first_name", "last_name", "full_name", "password", "city", "a..b", "notes"))]  # fmt: skip
    look, judged = looked(fields, rows(id=int, email=lambda n: f"p{n}@x.example", city=lambda n: "Bonn "))
    shelf = Shelf("Contacts")
    made = complete(propose(look, judged, identity_of(look, judged), shelf, shelf, "s"), judged)
    left = [name for names in made.left_out.values() for name in names]
    assert sorted([*left, *used_fields(made)]) == sorted(one.name for one in fields)
    assert set(fates(made)) == {one.name for one in fields}
    assert [(line.source, line.transform) for line in made.facts if line.source == "city"] == [("city", ("strip",))]


def test_what_records_are_known_by_is_a_property_beside_others_of_that_kind():
    fields = [Field("id", "integer", is_key=True), Field("email", "text"), Field("work_email", "text")]
    some = rows(id=int, email=lambda n: None if n % 2 else f"e{n}@x.example", work_email=lambda n: f"w{n}@x.example")
    for object_ in ("public.people", "public.companies"):
        look, judged = looked(fields, some, object_)
        shelf, identity = Shelf("Contacts"), candidates(look, judged)[0]
        made = named(propose(look, judged, identity, shelf, shelf, "s"))
        names = {line.source: line.name for line in made.facts}
        assert names["id"] == "source_id"
        assert len(set(names.values())) == len(names) == 3
    fields = [Field("hs_object_id", "number", is_key=True), Field("domain", "text"), Field("website", "text")]
    some = rows(hs_object_id=int, domain=lambda n: f"c{n}.example", website=lambda n: f"https://c{n}.example/de")
    look, judged = looked(fields, some, "companies", ("hs_object_id",), "hubspot")
    made = named(propose(look, judged, identity_of(look, judged), shelf, shelf, "s"))
    assert {line.source: line.name for line in made.facts} == {
        "domain": "domain", "website": "website", "hs_object_id": "hubspot_id"
    }  # fmt: skip
