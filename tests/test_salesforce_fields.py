"""Objects, fields and paths of Salesforce: what describe says, what can be read, and what a map is told."""

import pytest
from doubles.salesforce import Salesforce
from salesforce_streams import OLD, contacts, notes, read, records, stream, variables

from connectors.base import SourceMisconfigured
from connectors.salesforce import Source, Variables, connect
from connectors.salesforce.metadata import FieldInfo, field_of, free_text


@pytest.fixture(scope="module")
def org():
    with Salesforce() as org:
        org.define(
            "Contact", "Secret__c encryptedstring 100", "Score__c double", "Level__c string 20 formula:Account.Type"
        )
        org.define(
            "Contact",
            "One__c textarea 32768",
            "Two__c textarea 32768 html",
            "Story__c string 255",
            "Hidden__c string 80",
        )
        org.define("Invoice__c", "Amount__c currency", "Buyer__c reference ->Contact", "Text__c textarea 32768")
        org.hide("Contact", "Hidden__c")
        (account,) = org.add("Account", [{"Name": "Acme", "Type": "Customer"}], OLD)
        org.contact, *_ = org.add(
            "Contact", [{"LastName": "Roe", "Email": "r@mail.example", "AccountId": account}], OLD
        )
        org.add("Invoice__c", [{"Amount__c": 12.5, "Buyer__c": org.contact, "Text__c": "Paid late"}], OLD)
        yield org


def refused(org, fields, **more):
    with pytest.raises(SourceMisconfigured) as raised, stream(org, fields, **more) as connector:
        connector.check()
    return str(raised.value)


def test_objects_are_listed_as_far_as_they_can_be_queried(org):
    with stream(org) as connector:
        names = [one.name for one in connector.objects()]
    assert {"Contact", "Invoice__c", "EmailMessage"} <= set(names)
    assert not {"ActivityHistory", "ContactChangeEvent"} & set(names)


def test_fields_that_hold_peoples_words_are_told_apart(org):
    with stream(org) as connector:
        found = {field.name: field for field in connector.fields("Contact")}
        more = {
            field.name: field for name in ("Case", "Event", "EmailMessage", "Note") for field in connector.fields(name)
        }
    words = {name for name, field in found.items() if field.free_text}
    assert words == {"Description", "One__c", "Two__c"}
    assert found["Story__c"].free_text is None
    assert more["Comments"].free_text
    assert more["TextBody"].free_text
    assert more["Body"].free_text
    assert more["Recurrence2PatternText"].free_text is False
    assert more["Headers"].free_text is False
    assert not found["Secret__c"].readable
    assert found["Secret__c"].noise == "sensitive"
    assert found["MailingAddress"].noise
    assert found["SystemModstamp"].noise
    assert found["Email"].noise == ""
    assert found["Id"].is_key
    assert found["LeadSource"].values == ("Web", "Phone Inquiry", "Partner Referral", "Other")
    assert "Hidden__c" not in found


@pytest.mark.parametrize(
    ("given", "free"),
    [
        ({"type": "textarea", "length": 32000}, True),
        ({"type": "textarea", "length": 255, "compoundFieldName": "MailingAddress"}, False),
        ({"type": "textarea", "length": 255}, False),
        ({"type": "textarea", "length": 255, "name": "Comments"}, True),
        ({"type": "textarea", "length": 32000, "calculated": True}, False),
        ({"type": "string", "length": 255}, None),
        ({"type": "string", "length": 255, "externalId": True}, False),
        ({"type": "string", "length": 80}, False),
        ({"type": "picklist", "length": 255}, False),
        ({"type": "somethingNew", "length": 9}, False),
        ({}, False),
    ],
)
def test_the_rule_for_free_text(given, free):
    one = FieldInfo.of({"name": "X__c", **given})
    assert free_text(one)[0] is free
    assert field_of(one).reason


def test_custom_objects_and_paths_through_them_are_read(org):
    (found,) = records(
        read(org, fields=["Amount__c", "Text__c", "Buyer__r.Account.Name"], object="Invoice__c")
    ).values()
    assert (found["Amount__c"], found["Text__c"], found["Buyer__r"]["Account"]["Name"]) == (12.5, "Paid late", "Acme")


def test_without_a_map_every_field_that_can_be_read_is(org):
    login = {"connector": "salesforce", "object": "Contact"}
    connector = connect(Source.model_validate(login), variables(org), None, lambda _: None)
    try:
        (record,) = [record for page in connector.read(None) for record in page.records]
    finally:
        connector.close()
    assert record.fields["Email"] == "r@mail.example"
    assert not {"MailingAddress", "Secret__c", "Hidden__c"} & set(record.fields)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("email", "did you mean Email?"),
        ("Titel", "did you mean Title"),
        ("Score", "did you mean Score__c?"),
        ("Hidden__c", "or the user may not see it (field-level security)"),
        ("Acount.Name", "no relationship Acount"),
        ("AccountId.Name", "did you mean Account?"),
        ("Account", "expected a field behind it: Account.Name"),
        ("Account.Nam", "Account has no field Nam"),
        ("Owner.Department.Name", "no field"),
        ("Account.Owner.Manager.Manager.Manager.Manager.Name", "at most 5 relationships"),
        ("MailingAddress", "name its parts, such as MailingStreet, MailingCity"),
        ("Secret__c", "is encrypted"),
        ("Who.Email", "Who.* is the person of an activity"),
    ],
)
def test_a_path_that_cannot_be_read_is_named_with_the_reason(org, path, said):
    if path == "Owner.Department.Name":
        assert "no relationship Department" in refused(org, ["Email", path])
        return
    found = refused(org, ["Email", path])
    assert said in found
    assert found.startswith("Contact: ")


def test_files_are_refused(org):
    assert "holds a file (base64)" in refused(org, ["Name", "Body"], object="Attachment")


def test_a_lookup_that_may_point_at_several_objects_shows_names_only(org):
    assert "may be one of Group, User" in refused(org, ["Subject", "Owner.Department"], object="Case")
    with stream(org, ["Subject", "Owner.Email", "What.Name"], object="Task") as connector:
        connector.check()


@pytest.mark.parametrize(
    ("object", "said"),
    [
        ("Contakt", "did you mean Contact"),
        ("Invoice", "did you mean Invoice__c?"),
        ("ActivityHistory", "cannot be queried"),
    ],
)
def test_an_object_that_cannot_be_read_is_named_with_similar_ones(org, object, said):
    assert said in refused(org, ["Id"], object=object)


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("Modified", "no such field"),
        ("LastModified", "did you mean LastModifiedDate"),
        ("Birthdate", "it is of type date"),
        ("Level__c", "it is a formula"),
        ("Email", "it is of type email"),
    ],
)
def test_a_cursor_field_that_cannot_be_one_is_refused(org, field, said):
    assert said in refused(org, ["Email"], cursorField=field)


def test_a_cursor_field_of_ones_own_is_taken(org):
    with stream(org, cursorField="LastModifiedDate") as connector:
        assert connector.check().cursor_field == "LastModifiedDate"
    with stream(org, cursorField="CreatedDate") as connector:
        assert any("only new records" in note for note in connector.check().notes)


def test_the_primary_key_is_the_id(org):
    with pytest.raises(ValueError, match="always Id"):
        read(org, primaryKey="Email")


def test_a_check_tells_of_values_that_move_no_stamp(org):
    with stream(org, ["Email", "Level__c", "Account.Name", "Owner.Email"]) as connector:
        (note,) = [note for note in connector.check().notes if "refresh" in note]
    assert "formulas (Level__c)" in note
    assert "Account.Name, Owner.Email" in note
    with stream(org, ["Email", "Level__c", "Account.Name"], refresh="weekly") as connector:
        assert not [note for note in connector.check().notes if "refresh" in note]
    with stream(org, ["Email", "Title"]) as connector:
        assert not [note for note in connector.check().notes if "refresh" in note]


def test_a_check_tells_what_the_first_run_will_take(org):
    with stream(org, ["Email", "One__c", "Two__c"]) as connector:
        (note,) = [note for note in connector.check().notes if "the first run" in note]
    assert "200 at once, because of One__c and Two__c" in note


def test_a_check_tells_how_many_calls_are_left():
    with Salesforce(daily_calls=15_000, used=1_000) as org, stream(org) as connector:
        assert "1,003 of the org's 15,000 API calls in 24 hours are used" in str(connector.check().notes)


def test_a_check_reads_a_condition_as_the_server_does(org):
    assert "look at `where`" in refused(org, ["Email"], where="Email LIKES 'x'")
    found = refused(org, ["Email"], where="Nobody__c = 'ann@acme.example'")
    assert "No such column 'Nobody__c'" in found
    assert "ann@" not in found


def test_a_version_that_the_org_does_not_have_is_told(org):
    given = Variables(
        _env_file=None, sf_login_url=org.url, sf_client_id=org.client_id, sf_client_secret=org.client_secret,
        sf_api_version="99.0",
    )  # fmt: skip
    with pytest.raises(SourceMisconfigured, match="SF_API_VERSION"), stream(org, variables=given) as connector:
        connector.check()


def test_a_reading_without_remarks_has_none(org):
    assert notes(read(org)) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [("api", "soap"), ("refresh", "sometimes"), ("bulkThreshold", 1), ("quotaShare", 0), ("object", "Contact; x")],
)
def test_keys_of_the_source_are_checked(key, value):
    with pytest.raises(ValueError):  # noqa: PT011
        Source.model_validate({"connector": "salesforce", "object": "Contact", key: value})


def test_a_count_that_takes_too_long_fails_no_check(org):
    org.fail("query", "QUERY_TIMEOUT", after=1)
    with stream(org) as connector:
        assert any("could not be counted" in note for note in connector.check().notes)


def test_a_server_that_lists_no_versions_and_no_objects_fails_no_check(org):
    org.fail("versions", status=404, body=[{"errorCode": "NOT_FOUND", "message": "x"}])
    with stream(org) as connector:
        assert connector.check().cursor_field == "SystemModstamp"
    org.fail("describe_global", "NOT_FOUND")
    assert "check `object` and SF_API_VERSION" in refused(org, ["Id"], object="Contakt")


@pytest.mark.parametrize(
    ("object", "fields", "named"),
    [
        ("Case", ["Who.Email", "Subject"], "(Who.Email)"),
        ("Task", ["Who.Email", "What.Name", "Subject"], "(Who.Email, What.Name)"),
        ("Account", ["Id", "Owner.Email"], "(Owner.Email)"),
    ],
)
def test_fields_of_other_records_are_named_as_the_map_writes_them(object, fields, named):
    with Salesforce() as org, stream(org, fields, object=object) as connector:
        (note,) = (note for note in connector.check().notes if "refresh: weekly" in note)
        assert f"fields of other records {named}" in note


def test_of_an_error_in_where_its_own_words_are_shown_and_no_others():
    said = "\nSELECT Id FROM Contact\n ^\nERROR at Row:1:Column:8\nunexpected token: '{}'"
    with Salesforce() as org, stream(org, ["Email"], where="Email like ann") as connector:
        for token, shown in (("like", "unexpected token: 'like'"), ("Jane", "unexpected token: '...'")):
            org.fail("query", "MALFORMED_QUERY", message=said.format(token))
            with pytest.raises(SourceMisconfigured) as raised:
                connector.check()
            assert shown in str(raised.value)


def test_a_misspelt_field_in_where_is_told_with_what_is_spelt_alike():
    with Salesforce() as org:
        contacts(org, 3)
        for look in ("check", "read"):
            with (
                stream(org, ["Email"], where="Emial != null") as connector,
                pytest.raises(SourceMisconfigured, match=r"'Emial'.*did you mean Email\?"),
            ):
                list(connector.read(None)) if look == "read" else connector.check()
