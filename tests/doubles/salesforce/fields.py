"""One field of an object: written as a line of words, known by its flags.

LastName string 80 required          name, type, length, flags
AccountId reference ->Account        a lookup; its relationship is named Account
WhoId reference ->Contact|Lead       one that may point at several objects
Stage__c picklist values:Open|Won    the allowed values
MailingCity string 40 in:MailingAddress
Industry__c string formula:Account.Industry
ContactEmail email shows:Contact.Email   a parent's value, though describe does not call it calculated
"""

from dataclasses import dataclass, replace

_LENGTHS = {"id": 18, "reference": 18, "string": 255, "email": 80, "phone": 40, "url": 255, "picklist": 255}
_LENGTHS |= {"multipicklist": 4099, "combobox": 255, "textarea": 255, "encryptedstring": 175}
NUMBERS = {"int", "long", "double", "currency", "percent"}
WORDS = {"id", "reference", "string", "textarea", "picklist", "multipicklist", "combobox", "email", "phone", "url"}
WORDS |= {"encryptedstring"}
_NOT_STORED = {"address", "location"}
_FLAGS = {"required", "html", "unique", "external", "auto", "name", "system", "person"}
_SOAP = {"id": "tns:ID", "reference": "tns:ID", "boolean": "xsd:boolean", "int": "xsd:int", "long": "xsd:long"}
_SOAP |= {"double": "xsd:double", "currency": "xsd:double", "percent": "xsd:double", "date": "xsd:date"}
_SOAP |= {"datetime": "xsd:dateTime", "time": "xsd:time", "base64": "xsd:base64Binary", "address": "urn:address"}
_SOAP |= {"location": "urn:location"}
_SQL = {"boolean": "INTEGER NOT NULL DEFAULT 0", "int": "INTEGER", "long": "INTEGER", "base64": "TEXT"}
_SQL |= {"double": "REAL", "currency": "REAL", "percent": "REAL", "id": "TEXT", "reference": "TEXT"}
_SQL |= {"date": "TEXT", "datetime": "TEXT", "time": "TEXT"}


@dataclass(frozen=True)
class Field:
    """A field as the org's administrator set it up."""

    name: str
    type: str
    length: int = 0
    targets: tuple[str, ...] = ()
    relationship: str | None = None
    values: tuple[str, ...] = ()
    compound: str | None = None
    formula: str | None = None
    """The path whose value the field shows; None: its own value is stored."""
    calculated: bool = False
    flags: frozenset[str] = frozenset()
    hidden: bool = False

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def polymorphic(self) -> bool:
        return len(self.targets) > 1

    @property
    def stored(self) -> bool:
        return self.type not in _NOT_STORED and not self.formula

    @property
    def long_text(self) -> bool:
        return self.type == "textarea" and self.length > 255

    @property
    def filterable(self) -> bool:
        return not self.long_text and self.type not in {"base64", "encryptedstring", "json", "complexvalue"}

    @property
    def sortable(self) -> bool:
        return self.filterable and self.type not in {"multipicklist", "address", "location"}

    @property
    def groupable(self) -> bool:
        return self.sortable and self.type not in {"datetime", "double", "currency", "percent", "time"}

    @property
    def aggregatable(self) -> bool:
        return self.sortable and self.type != "boolean"

    @property
    def soap_type(self) -> str:
        return _SOAP.get(self.type, "xsd:string")

    @property
    def sql_type(self) -> str:
        return _SQL.get(self.type, "TEXT COLLATE NOCASE")


def parse_field(line: str) -> Field:
    """Read one line of words; ValueError where a word is unknown."""
    name, kind, *words = line.split()
    found = Field(name, kind, _LENGTHS.get(kind, 0))
    for word in words:
        found = _with_word(found, word)
    return _with_relationship(found)


def _with_word(found: Field, word: str) -> Field:
    if word.isdigit():
        return replace(found, length=int(word))
    if word.startswith("->"):
        return replace(found, targets=tuple(word[2:].split("|")))
    key, _, value = word.partition(":")
    if key == "as":
        return replace(found, relationship=value)
    if key == "values":
        return replace(found, values=tuple(value.replace("_", " ").split("|")))
    if key == "in":
        return replace(found, compound=value)
    if key in {"formula", "shows"}:
        return replace(found, formula=value, calculated=key == "formula")
    if word == "hidden":
        return replace(found, hidden=True)
    if word not in _FLAGS:
        raise ValueError(f"field {found.name}: unknown word {word!r}")
    return replace(found, flags=found.flags | {word})


def _with_relationship(found: Field) -> Field:
    if found.relationship == "-":
        return replace(found, relationship=None)
    if not found.targets or found.relationship:
        return found
    name = found.name
    return replace(found, relationship=name[:-1] + "r" if found.custom else name.removesuffix("Id"))
