"""The stand-in Salesforce: what its SOQL finds, and what it refuses."""

from datetime import UTC, datetime

import pytest
from doubles.salesforce import Salesforce
from salesforce_calls import DATA, Caller

ADA = {"LastName": "Ada", "Email": "ada@x.example", "Title": "Chief", "Birthdate": "1990-05-06"}
BOB = {"LastName": "Bob", "Email": "Bob_1@x.example", "Title": None, "Birthdate": "1980-01-01"}
EVE = {"LastName": "Eve", "Email": None, "Title": "Clerk"}


@pytest.fixture(scope="module")
def org():
    with Salesforce() as running:
        running.define(
            "Contact", "Tags__c multipicklist", "Score__c double", "Vip__c boolean", "Pin__c encryptedstring"
        )
        (account,) = running.add("Account", [{"Name": "Acme", "BillingCity": "Berlin", "BillingCountry": "DE"}])
        rows = [
            ADA | {"AccountId": account, "Tags__c": "red;green", "Score__c": 1.5, "Vip__c": True, "Pin__c": "12345678"},
            BOB | {"Tags__c": "red", "Score__c": 20},
            EVE,
        ]
        moments = [datetime(2026, 1, day, 10, 0, 0, tzinfo=UTC) for day in (1, 2, 3)]
        stamped = [row | {"SystemModstamp": moment} for row, moment in zip(rows, moments, strict=True)]
        ada, bob, _ = running.add("Contact", stamped)
        (lead,) = running.add("Lead", [{"LastName": "Lou", "Company": "C", "Email": "lou@x.example"}])
        subjects = [{"Subject": "t1", "WhoId": ada, "WhatId": account}, {"Subject": "t2", "WhoId": lead}]
        running.add("Task", [*subjects, {"Subject": "t3"}])
        running.add("Case", [{"CaseNumber": "1", "ContactId": bob, "Subject": "s"}])
        yield running


def names(caller, condition):
    found = caller.records(f"SELECT LastName FROM Contact WHERE {condition} ORDER BY LastName")
    return " ".join(record["LastName"] for record in found)


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("LastName = 'ADA'", "Ada"),
        ("LastName != 'ada'", "Bob Eve"),
        ("Title != 'Chief'", "Bob Eve"),
        ("Title = null", "Bob"),
        ("Title <> NULL", "Ada Eve"),
        ("NOT Title = 'Chief'", "Bob Eve"),
        ("LastName IN ('Ada', 'Eve')", "Ada Eve"),
        ("Title NOT IN ('Chief')", "Bob Eve"),
        ("Email LIKE '%@X.example'", "Ada Bob"),
        (r"Email LIKE 'bob\_1%'", "Bob"),
        (r"Email LIKE 'ad\_%'", ""),
        ("(NOT Email LIKE '%@x.example')", "Eve"),
        ("SystemModstamp >= 2026-01-02T10:00:00Z", "Bob Eve"),
        ("SystemModstamp > 2026-01-02T10:00:00.999Z", "Eve"),
        ("SystemModstamp < 2026-01-02T11:00:00.000+01:00", "Ada"),
        ("Birthdate > 1980-01-01", "Ada"),
        ("Birthdate < TODAY", "Ada Bob"),
        ("CreatedDate = LAST_N_DAYS:2", "Ada Bob Eve"),
        ("Score__c >= 1.5", "Ada Bob"),
        ("Vip__c = TRUE", "Ada"),
        ("Tags__c INCLUDES ('green', 'blue')", "Ada"),
        ("Tags__c INCLUDES ('red;green')", "Ada"),
        ("Tags__c EXCLUDES ('green')", "Bob Eve"),
        ("Account.Name = 'Acme'", "Ada"),
        ("AccountId IN (SELECT Id FROM Account WHERE BillingCity = 'Berlin')", "Ada"),
        ("LastName = 'Ada' OR (LastName = 'Bob' AND Title = null)", "Ada Bob"),
        (r"LastName = 'O\'Hara\n\u0041'", ""),
    ],
)
def test_conditions_find_what_they_say(caller, condition, found):
    assert names(caller, condition) == found


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        ("SELECT Id FROM Nothing", "INVALID_TYPE", "sObject type 'Nothing' is not supported."),
        ("SELECT Id FROM ActivityHistory", "INVALID_TYPE_FOR_OPERATION", "does not support query"),
        ("SELECT Nope FROM Contact", "INVALID_FIELD", "No such column 'Nope' on entity 'Contact'."),
        ("SELECT Account.Nope FROM Contact", "INVALID_FIELD", "No such column 'Nope' on entity 'Account'."),
        ("SELECT Nope.Name FROM Contact", "INVALID_FIELD", "Didn't understand relationship 'Nope' in field path."),
        ("SELECT Who.Company FROM Task", "INVALID_FIELD", "No such column 'Company' on entity 'Name'."),
        ("SELECT Id, id FROM Contact", "INVALID_FIELD", "duplicate field selected: id"),
        ("SELECT Id FROM Contact WHERE Description = 'x'", "INVALID_FIELD", "can not be filtered in a query call"),
        ("SELECT Id FROM Contact ORDER BY Description", "MALFORMED_QUERY", "can not be sorted in a query call"),
        (
            "SELECT Id FROM Contact WHERE CreatedDate > '2026'",
            "INVALID_FIELD",
            "must be of type dateTime and should not",
        ),
        ("SELECT Id FROM Contact WHERE CreatedDate > 2026-01-01", "INVALID_FIELD", "must be of type dateTime"),
        ("SELECT Id FROM Contact WHERE LastName = 5", "INVALID_FIELD", "should be enclosed in quotes"),
        ("SELECT Id FROM Contact WHERE Vip__c > true", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("SELECT Id FROM Contact WHERE Id LIKE '003%'", "INVALID_QUERY_FILTER_OPERATOR", "invalid operator"),
        ("SELECT Id FROM Contact WHERE Id = 'abc'", "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field: abc"),
        ("SELECT Id FROM Contact WHERE Id = 'a' AND Id = 'b' OR Id = 'c'", "MALFORMED_QUERY", "unexpected token: 'OR'"),
        ("SELECT Id FROM Contact WHERE Title = 'a' AND NOT Title = 'b'", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Contact WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id, FROM Contact", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT * FROM Contact", "MALFORMED_QUERY", "unexpected token: '*'"),
        ('SELECT Id FROM Contact WHERE Title = "a"', "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Contact WHERE Title = 'a", "MALFORMED_QUERY", "unclosed string literal"),
        (r"SELECT Id FROM Contact WHERE Title = '\d'", "MALFORMED_QUERY", "illegal escape"),
        ("SELECT Id FROM Contact WHERE CreatedDate > 2026-01-01T00:00:00", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Contact LIMIT -1", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Contact ORDER BY Id LIMIT 1 WHERE Id = null", "MALFORMED_QUERY", "unexpected token: 'WHERE'"),
        ("SELECT Id FROM Contact ALL ROWS", "MALFORMED_QUERY", "ALL ROWS"),
        ("SELECT Id FROM Contact OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", "2000"),
        ("SELECT FIELDS(ALL) FROM Contact", "MALFORMED_QUERY", "LIMIT of at most 200"),
        ("SELECT COUNT(), Id FROM Contact", "MALFORMED_QUERY", "only element"),
        ("SELECT TYPEOF Account WHEN Account THEN Name END FROM Contact", "INVALID_FIELD", "TYPEOF"),
        ("SELECT Id FROM ContentDocumentLink", "MALFORMED_QUERY", "Implementation restriction"),
        ("", "MALFORMED_QUERY", "has to be specified"),
    ],
)
def test_what_the_real_parser_refuses_is_refused_in_its_words(caller, soql, code, message):
    status, found, said = caller.refused(soql)
    assert (status, found) == (400, code)
    assert message in said


def test_a_complaint_points_at_the_place(caller):
    _, _, message = caller.refused("SELECT Id\nFROM Contact\nWHERE Nope = 1")
    assert message.startswith("\nWHERE Nope = 1\n      ^\nERROR at Row:3:Column:7\nNo such column 'Nope'")


@pytest.mark.parametrize(
    "soql", ["SELECT Id, (SELECT Id FROM Cases) FROM Contact", "SELECT Title FROM Contact GROUP BY Title"]
)
def test_what_is_not_imitated_is_said_and_never_answered_wrongly(caller, soql):
    answer = caller.query(soql)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (501, "STAND_IN_LIMIT")


def test_counting_gives_a_number_without_records(caller):
    assert caller.query("SELECT COUNT() FROM Contact WHERE Title != null").json() == {
        "totalSize": 2, "done": True, "records": [],
    }  # fmt: skip


def test_aggregates_over_everything_have_one_record(caller):
    (found,) = caller.records("SELECT COUNT(Id), MAX(SystemModstamp) newest, MIN(Score__c) FROM Contact")
    assert found == {"expr0": 3, "newest": "2026-01-03T10:00:00.000+0000", "expr2": 1.5}


def test_parents_are_nested_and_null_where_there_is_none(org, caller):
    ada, bob, _ = caller.query("SELECT Id, Account.Name, Account.Owner.Email FROM Contact ORDER BY Id").json()[
        "records"
    ]
    assert ada["Account"]["Name"] == "Acme"
    assert ada["Account"]["Owner"]["Email"] == org.username
    assert ada["Account"]["attributes"]["url"].startswith(f"{DATA}/sobjects/Account/001")
    assert bob["Account"] is None


def test_an_alias_or_the_objects_name_may_stand_before_a_field(caller):
    assert len(caller.records("SELECT c.Id, c.Account.Name FROM Contact c WHERE c.LastName = 'Ada'")) == 1
    assert len(caller.records("SELECT Contact.Id FROM Contact WHERE Contact.LastName = 'Ada'")) == 1


def test_names_are_shown_as_describe_spells_them(caller):
    assert set(caller.records("select id, LASTNAME, account.NAME from contact")[0]) == {"Id", "LastName", "Account"}


def test_typeof_shows_each_person_with_the_fields_of_its_kind(caller):
    soql = (
        "SELECT Subject, TYPEOF Who WHEN Contact THEN Email, Account.Name WHEN Lead THEN Email, Company END FROM Task"
    )
    contact, lead, nobody = caller.query(soql + " ORDER BY Subject").json()["records"]
    assert (contact["Who"]["attributes"]["type"], contact["Who"]["Email"]) == ("Contact", "ada@x.example")
    assert contact["Who"]["Account"]["Name"] == "Acme"
    assert (lead["Who"]["attributes"]["type"], lead["Who"]["Company"]) == ("Lead", "C")
    assert nobody["Who"] is None


def test_dotted_access_to_a_person_of_several_kinds_has_no_address(org, caller):
    contact, *_ = caller.query(
        "SELECT Who.Name, Who.Email, Who.Type, Owner.Email, What.Name FROM Task ORDER BY Subject"
    ).json()["records"]
    assert contact["Who"]["attributes"]["type"] == "Name"
    assert (contact["Who"]["Name"], contact["Who"]["Email"], contact["Who"]["Type"]) == ("Ada", None, "Contact")
    assert (contact["Owner"]["Email"], contact["What"]["Name"]) == (org.username, "Acme")


def test_a_formula_over_a_parent_is_filterable(caller):
    assert caller.records("SELECT ContactEmail FROM Case WHERE ContactEmail LIKE 'bob%'") == [
        {"ContactEmail": "Bob_1@x.example"}
    ]


def test_compound_and_encrypted_fields_are_shown_as_rest_shows_them(caller):
    (account,) = caller.records("SELECT BillingAddress FROM Account")
    assert (account["BillingAddress"]["city"], account["BillingAddress"]["postalCode"]) == ("Berlin", None)
    (ada,) = caller.records("SELECT Pin__c FROM Contact WHERE LastName = 'Ada'")
    assert ada["Pin__c"] == "****5678"


def test_ordering_by_several_fields_puts_nulls_where_told(caller):
    def order(by):
        return "".join(
            record["LastName"][0] for record in caller.records(f"SELECT LastName FROM Contact ORDER BY {by}")
        )

    assert order("Title") == "BAE"
    assert order("Title NULLS LAST") == "AEB"
    assert order("Title DESC NULLS LAST, Id") == "EAB"
    assert order("Vip__c, LastName DESC") == "EBA"


def test_what_an_order_leaves_open_comes_newest_first(caller):
    assert names(caller, "Id != null") == "Ada Bob Eve"
    unordered = [record["LastName"] for record in caller.records("SELECT LastName FROM Contact")]
    assert unordered == ["Eve", "Bob", "Ada"]


def test_limit_and_offset_cut_the_result(caller):
    page = caller.query("SELECT LastName FROM Contact ORDER BY Id LIMIT 1 OFFSET 1").json()
    assert (page["totalSize"], page["records"][0]["LastName"]) == (1, "Bob")


def test_keyset_paging_over_ties_finds_every_row_once():
    tied = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    with Salesforce(page_size=7) as org, Caller(org) as caller:
        ids = org.add("Contact", [{"LastName": str(number)} for number in range(40)], at=tied)
        found, after = [], ""
        while True:
            ties = f"(SystemModstamp = 2026-02-03T04:05:06Z AND Id > '{after}')" if after else "Id != null"
            soql = f"SELECT Id FROM Contact WHERE ({ties}) AND SystemModstamp < 2026-02-03T04:05:07.000Z"
            page = caller.query(f"{soql} ORDER BY SystemModstamp ASC, Id ASC").json()["records"]
            if not page:
                break
            found += [record["Id"] for record in page]
            after = found[-1]
        assert found == ids


def test_fields_all_names_what_the_user_may_see(caller):
    (ada,) = caller.records("SELECT FIELDS(CUSTOM) FROM Contact WHERE LastName = 'Ada' LIMIT 1")
    assert ada == {"Tags__c": "red;green", "Score__c": 1.5, "Vip__c": True, "Pin__c": "****5678"}
