"""The stand-in for HubSpot, read by HubSpot's own client library: its types accept every answer."""

from contextlib import contextmanager

import hubspot
from hubspot_calls import START, account, where


@contextmanager
def kept(api):
    """One typed API, whose connections are closed afterwards."""
    try:
        yield api
    finally:
        api.api_client.rest_client.pool_manager.clear()
        api.api_client.close()


def test_objects_are_listed_searched_and_read():
    with account() as (crm, _):
        ids = crm.add("contacts", [{"email": "a@x.example"}, {"email": "b@x.example"}], at=START)
        crm.archive("contacts", ids[1])
        library = hubspot.HubSpot(access_token=crm.token, host=crm.url)
        with kept(library.crm.objects.basic_api) as api:
            page = api.get_page("contacts", limit=1, properties=["email", "city"], associations=["companies"])
            assert (page.results[0].id, page.paging.next.after) == (ids[0], ids[1])
        with kept(library.crm.objects.search_api) as api:
            groups = where("lastmodifieddate", "GTE", value=str(START))
            found = api.do_search("contacts", public_object_search_request={"filterGroups": groups, "limit": 200})
            assert (found.total, found.results[0].properties["email"]) == (1, "a@x.example")
        with kept(library.crm.objects.batch_api) as api:
            body = {"inputs": [{"id": one} for one in ids], "properties": ["email"], "propertiesWithHistory": []}
            read = api.read("contacts", batch_read_input_simple_public_object_id=body)
            assert (read.results[0].id, read.num_errors, read.errors[0].category) == (ids[0], 1, "OBJECT_NOT_FOUND")


def test_associations_properties_schemas_and_owners_are_read():
    with account() as (crm, _):
        crm.define("2-7", "colour", label="car")
        (note,) = crm.add("notes", [{}], at=START)
        (contact,) = crm.add("contacts", [{}], at=START)
        crm.associate("notes", note, "contacts", contact)
        library = hubspot.HubSpot(access_token=crm.token, host=crm.url)
        with kept(library.crm.associations.v4.batch_api) as api:
            inputs = {"inputs": [{"id": note}]}
            page = api.get_page("notes", "contacts", batch_input_public_fetch_associations_batch_request=inputs)
            assert page.results[0].to[0].to_object_id == contact
        with kept(library.crm.properties.core_api) as api:
            assert "hs_note_body" in [one.name for one in api.get_all("notes").results]
        with kept(library.crm.schemas.core_api) as api:
            assert [one.object_type_id for one in api.get_all().results] == ["2-7"]
        with kept(library.crm.owners.owners_api) as api:
            assert api.get_page().results[0].email == "ada.quill@example.com"
