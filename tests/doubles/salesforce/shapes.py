"""The shapes of the answers that are known from recordings: every key, its kind, and nothing else.

A shape is a type, a pattern for texts, None, a tuple of alternatives, a one-element list for lists, or a dictionary; a
key that ends in `?` may be missing.
"""

import re
from typing import Any

_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000")
_ID = re.compile(r"[0-9A-Za-z]{18}")
_TEXT = (str, None)

ERRORS = [{"message": str, "errorCode": re.compile(r"[A-Z_0-9]+"), "fields?": [str]}]
OAUTH_ERROR = {"error": re.compile(r"[a-z_]+"), "error_description": str}
TOKEN = {
    "access_token": re.compile(r"00D\w{12}!\S+"),
    "signature": str,
    "scope": str,
    "instance_url": re.compile(r"http://127\.0\.0\.1:\d+"),
    "id": re.compile(r"https://login\.salesforce\.com/id/00D\w{15}/005\w{15}"),
    "token_type": re.compile("Bearer"),
    "issued_at": re.compile(r"\d{13}"),
}
VERSIONS = [{"label": str, "url": re.compile(r"/services/data/v\d+\.0"), "version": re.compile(r"\d+\.0")}]

_SOBJECT_FLAGS = (
    "activateable compactLayoutable createable custom customSetting deepCloneable deletable deprecatedAndHidden "
    "feedEnabled hasSubtypes isInterface isSubtype layoutable mergeable mruEnabled queryable replicateable "
    "retrieveable searchLayoutable searchable triggerable undeletable updateable"
)
_SOBJECT_NOTHINGS = (
    "associateEntityType associateParentEntity defaultImplementation extendedBy extendsInterfaces implementedBy "
    "implementsInterfaces listviewable lookupLayoutable"
)
SOBJECT: dict[str, Any] = {
    "name": str,
    "label": str,
    "labelPlural": str,
    "keyPrefix": (re.compile(r"\w{3}"), None),
    "urls": dict,
    **dict.fromkeys(_SOBJECT_FLAGS.split(), bool),
    **dict.fromkeys(_SOBJECT_NOTHINGS.split()),
}
DESCRIBE_GLOBAL = {"encoding": str, "maxBatchSize": int, "sobjects": [SOBJECT]}
_FIELD_FLAGS = (
    "aggregatable aiPredictionField autoNumber calculated cascadeDelete caseSensitive createable custom "
    "defaultedOnCreate dependentPicklist deprecatedAndHidden displayLocationInDecimal encrypted externalId filterable "
    "formulaTreatNullNumberAsZero groupable highScaleNumber htmlFormatted idLookup nameField namePointing nillable "
    "permissionable polymorphicForeignKey queryByDistance restrictedDelete restrictedPicklist searchPrefilterable "
    "sortable unique updateable writeRequiresMasterRead"
)
_FIELD_TEXTS = (
    "calculatedFormula compoundFieldName controllerName defaultValueFormula extraTypeInfo inlineHelpText mask maskType "
    "referenceTargetField relationshipName"
)
FIELD: dict[str, Any] = {
    **dict.fromkeys(("name", "label", "type", "soapType"), str),
    **dict.fromkeys(("byteLength", "digits", "length", "precision", "scale"), int),
    **dict.fromkeys(_FIELD_FLAGS.split(), bool),
    **dict.fromkeys(_FIELD_TEXTS.split(), _TEXT),
    **dict.fromkeys(("defaultValue", "filteredLookupInfo", "relationshipOrder")),
    "picklistValues": [{"active": bool, "defaultValue": bool, "label": str, "validFor": None, "value": str}],
    "referenceTo": [str],
}
_CHILD: dict[str, Any] = {
    **dict.fromkeys(("cascadeDelete", "deprecatedAndHidden", "restrictedDelete"), bool),
    "childSObject": str,
    "field": str,
    "junctionIdListNames": list,
    "junctionReferenceTo": list,
    "relationshipName": _TEXT,
}
DESCRIBE = SOBJECT | {
    "actionOverrides": list,
    "childRelationships": [_CHILD],
    "fields": [FIELD],
    "namedLayoutInfos": list,
    "networkScopeFieldName": None,
    "recordTypeInfos": list,
    "sobjectDescribeOption": str,
    "supportedScopes": [{"label": str, "name": str}],
}

ATTRIBUTES = {"type": str, "url": re.compile(r"/services/data/v\d+\.0/sobjects/\w+/\w{18}")}
PAGE = {"totalSize": int, "done": bool, "records": list}
UNFINISHED_PAGE = PAGE | {"nextRecordsUrl": re.compile(r"/services/data/v\d+\.0/query/0r8\w{15}-\d+")}

JOB: dict[str, Any] = {
    "id": re.compile(r"750\w{15}"),
    "operation": re.compile("query(All)?"),
    "object": str,
    "createdById": _ID,
    "createdDate": _STAMP,
    "systemModstamp": _STAMP,
    "state": re.compile("UploadComplete|InProgress|Aborted|JobComplete|Failed"),
    "concurrencyMode": re.compile("Parallel"),
    "contentType": re.compile("CSV"),
    "apiVersion": float,
    "lineEnding": re.compile("LF|CRLF"),
    "columnDelimiter": re.compile("[A-Z]+"),
}
JOB_STATUS = JOB | {
    "jobType": re.compile("V2Query"),
    "numberRecordsProcessed": int,
    "retries": int,
    "totalProcessingTime": int,
    "isPkChunkingSupported": bool,
    "errorMessage?": str,
}
LIMIT = {"Max": int, "Remaining": int}
UPDATED = {"ids": [_ID], "latestDateCovered": _STAMP}
DELETED = {
    "deletedRecords": [{"id": _ID, "deletedDate": _STAMP}],
    "earliestDateAvailable": _STAMP,
    "latestDateCovered": _STAMP,
}


def check(shape: Any, value: Any, where: str = "answer") -> None:
    """Raise AssertionError, naming the place, where a value does not have a shape."""
    if isinstance(shape, dict):
        _check_keys(shape, value, where)
    elif isinstance(shape, list):
        assert isinstance(value, list), f"{where}: expected a list, found {value!r}"
        for number, each in enumerate(value):
            check(shape[0], each, f"{where}[{number}]")
    elif isinstance(shape, tuple):
        assert any(_fits(each, value) for each in shape), f"{where}: found {value!r}"
    else:
        assert _fits(shape, value), f"{where}: found {value!r}"


def _check_keys(shape: dict[str, Any], value: Any, where: str) -> None:
    assert isinstance(value, dict), f"{where}: expected an object, found {value!r}"
    allowed = {name.removesuffix("?"): inner for name, inner in shape.items()}
    needed = {name for name in shape if not name.endswith("?")}
    assert needed <= value.keys() <= allowed.keys(), f"{where}: keys {sorted(value.keys() ^ allowed.keys())}"
    for name, inner in value.items():
        check(allowed[name], inner, f"{where}.{name}")


def _fits(shape: Any, value: Any) -> bool:
    if shape is None:
        return value is None
    if isinstance(shape, re.Pattern):
        return isinstance(value, str) and bool(shape.fullmatch(value))
    return isinstance(value, bool) if shape is bool else isinstance(value, shape) and not isinstance(value, bool)
