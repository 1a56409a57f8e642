"""Describe and global describe, with every key that recorded answers have."""

import re
from collections.abc import Iterator
from typing import Any

from .fields import NUMBERS, Field
from .schema import Schema, SObject

_NEVER = (
    "aiPredictionField cascadeDelete dependentPicklist deprecatedAndHidden displayLocationInDecimal "
    "formulaTreatNullNumberAsZero highScaleNumber queryByDistance restrictedDelete restrictedPicklist "
    "searchPrefilterable writeRequiresMasterRead"
).split()
_NOTHING = (
    "calculatedFormula controllerName defaultValue defaultValueFormula filteredLookupInfo inlineHelpText mask maskType "
    "referenceTargetField relationshipOrder"
).split()
_DIGITS = {"int": 8, "long": 18}


def describe_global(schema: Schema, base: str) -> dict[str, Any]:
    """The answer of `GET .../sobjects`."""
    shown = [_flags(sobject) | {"urls": _urls(sobject, base)} for sobject in schema]
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": shown}


def describe(schema: Schema, sobject: SObject, base: str) -> dict[str, Any]:
    """The answer of `GET .../sobjects/Contact/describe`."""
    return _flags(sobject) | {
        "actionOverrides": [],
        "childRelationships": list(_children(schema, sobject)),
        "fields": [describe_field(field, sobject) for field in sobject.visible.values()],
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [],
        "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": f"All {sobject.plural.lower()}", "name": "everything"}],
        "urls": _urls(sobject, base),
    }


def _flags(sobject: SObject) -> dict[str, Any]:
    queryable = "no-query" not in sobject.marks
    replicateable = queryable and "SystemModstamp" in sobject.fields
    names = ("activateable customSetting deepCloneable deprecatedAndHidden hasSubtypes isInterface isSubtype").split()
    written = "createable deletable updateable triggerable".split()
    seen = "compactLayoutable layoutable mruEnabled retrieveable searchLayoutable searchable feedEnabled".split()
    nothing = (
        "associateEntityType associateParentEntity defaultImplementation extendedBy extendsInterfaces implementedBy "
        "implementsInterfaces listviewable lookupLayoutable"
    ).split()
    return {
        "name": sobject.name,
        "label": spoken(sobject.name),
        "labelPlural": sobject.plural,
        "keyPrefix": None if sobject.prefix == "-" else sobject.prefix,
        "custom": sobject.custom,
        "queryable": queryable,
        "replicateable": replicateable,
        "undeletable": "undelete" in sobject.marks,
        "mergeable": "merge" in sobject.marks,
        **dict.fromkeys(names, False),
        **dict.fromkeys([*written, *seen], queryable),
        **dict.fromkeys(nothing),
    }


def _urls(sobject: SObject, base: str) -> dict[str, str]:
    own = f"{base}/sobjects/{sobject.name}"
    return {"sobject": own, "describe": f"{own}/describe", "rowTemplate": f"{own}/{{ID}}"}


def _children(schema: Schema, sobject: SObject) -> Iterator[dict[str, Any]]:
    for other in schema:
        for field in other.visible.values():
            if sobject.name in field.targets:
                yield {
                    "cascadeDelete": False,
                    "childSObject": other.name,
                    "deprecatedAndHidden": False,
                    "field": field.name,
                    "junctionIdListNames": [],
                    "junctionReferenceTo": [],
                    "relationshipName": None if field.polymorphic else other.plural.replace(" ", ""),
                    "restrictedDelete": False,
                }


def describe_field(field: Field, sobject: SObject) -> dict[str, Any]:
    """One field, as describe shows it."""
    written = not ({"system", "auto", "person"} & field.flags) and field.formula is None and field.stored
    number = field.type in NUMBERS - {"int", "long"}
    shown = {
        "name": field.name,
        "label": f"{spoken(sobject.name)} ID" if field.type == "id" else spoken(field.name),
        "type": field.type,
        "soapType": field.soap_type,
        "length": 0 if field.type in NUMBERS else field.length,
        "byteLength": field.length if field.type in {"id", "reference"} else field.length * 3,
        "digits": _DIGITS.get(field.type, 0),
        "precision": 18 if number else 0,
        "scale": 2 if field.type in {"currency", "percent"} else 0,
        "extraTypeInfo": _extra(field, sobject),
    }
    return shown | _field_marks(field, written=written) | _field_links(field)


def _field_marks(field: Field, *, written: bool) -> dict[str, Any]:
    marks = field.flags
    return {
        **dict.fromkeys(_NEVER, False),
        **dict.fromkeys(_NOTHING),
        "queryByDistance": field.type in {"address", "location"},
        "aggregatable": field.aggregatable,
        "autoNumber": "auto" in marks,
        "calculated": field.calculated,
        "calculatedFormula": field.formula if field.calculated else None,
        "caseSensitive": "external" in marks,
        "createable": written,
        "updateable": written,
        "custom": field.custom,
        "defaultedOnCreate": field.type == "boolean" or "system" in marks,
        "encrypted": field.type == "encryptedstring",
        "externalId": "external" in marks,
        "filterable": field.filterable,
        "groupable": field.groupable,
        "sortable": field.sortable,
        "htmlFormatted": "html" in marks,
        "idLookup": field.type in {"id", "email"} or "external" in marks,
        "nameField": "name" in marks,
        "nillable": "required" not in marks and field.type != "boolean",
        "permissionable": written and "required" not in marks,
        "unique": "unique" in marks,
    }


def _field_links(field: Field) -> dict[str, Any]:
    values = [
        {"active": True, "defaultValue": False, "label": value, "validFor": None, "value": value}
        for value in field.values
    ]
    return {
        "compoundFieldName": field.compound,
        "picklistValues": values,
        "referenceTo": list(field.targets),
        "relationshipName": field.relationship,
        "namePointing": field.polymorphic,
        "polymorphicForeignKey": field.polymorphic,
    }


def _extra(field: Field, sobject: SObject) -> str | None:
    if field.type == "textarea":
        return "richtextarea" if "html" in field.flags else "plaintextarea"
    if field.name == "PhotoUrl":
        return "imageurl"
    if field.compound == "Name" or "person" in field.flags:
        return "switchablepersonname" if sobject.name == "Account" else "personname"
    return None


def spoken(name: str) -> str:
    """A label made of an API name: `LastModifiedDate` is `Last Modified Date`."""
    plain = name.removesuffix("__c").replace("_", " ")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plain.removesuffix("Id") + (" ID" if plain.endswith("Id") else ""))
