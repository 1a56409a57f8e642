"""What a server says, without what may be a piece of a record: only common words of its messages stay."""

from __future__ import annotations

import re

_LONGEST_READ, _LONGEST_SHOWN = 500, 200
_TOKEN = re.compile(r"(?<!\w)'[^']*'(?!\w)|\"[^\"]*\"|\S+")
_CODE = re.compile(r"\b[A-Z]{3,}(?:_[A-Z0-9]+)+\b")
_ERROR = re.compile(r"(?:sf:|soapenv:)?([A-Z][A-Z_]{0,79})|[A-Za-z][a-z]+(?:[A-Z][a-z]+|_[a-z]+){0,9}|\d{3}")
_WORD = re.compile(r"\w+|[^\w\s]+")
_PART = re.compile(r"[A-Z]?[a-z]+")
_EDGES = ".,:;()!?"
_INNER = re.compile(r"[/'\u2019-]")
_NAME = re.compile(r"'[A-Za-z]\w*(?:\.\w+)*'")
_NAMED = frozenset("column entity field object relationship sobject type".split())
"""Words behind which the name of a field or an object stands in quotes."""
HIDDEN = "..."
PLAIN = frozenset(
    """
    a able about access account acting action active activity actually administrator after again aggregate algorithm
    alias all allowed already alternately an and another any api app applied appropriate approve approved archived are
    argument as asserted assertion async at attempt attempted audience authenticate authenticated authenticating
    authentication authorised authorization authorized available bad batch be because been before being between big
    both bulk business but by call called calls cannot case change changed characters check child clause client code
    column columns combination complicated compound concurrent condition conditions configured connect connected
    consumer contact contains content control correct could create created credentials cross current cursor custom
    data date datetime deactivated default deleted denied describe developer did didn different disabled distinct do
    does doesn domain don due duplicate during each edition either element empty enable enabled encrypted end endpoint
    enough entities entity error errors evaluated exceed exceeded exceeds exclusive exist existing exists expected
    expecting expired expression external extra failed failure false fault feature features few field fields file
    filter filtered filtering filters flow for forbidden format found frequently from function functionality given
    grant group had handle has hasn have header hours how however id identifier if implementation implicit in inactive
    include incorrect indexed information insufficient integration internal into invalid invalidated is isn issued
    issuer it its job jobs json jwt key kind large larger later length less level license licensed like limit limited
    limits list literal located locator locators lock locked log login logins long longer lookup main malformed
    management many match matches max maximum may message method mismatch mismatched missing more moved must name
    named names need needed new no not null number object objects obtain of off offset on once one only open operation
    operations operator operators or order org organisation organization out over page parameter parameters parent
    parsed parsing part password path per perform permission permissions permitted please policies policy polymorphic
    possible previous primary privileges problem processed processing provide provided provisioned queries query
    queryable queued quota range rate reach reached read reading ready reason received record records reduce reference
    refresh refused register registered rejected related relation relationship relationships replicate replication
    request requested requests require required requires reset resource response rest restricted restriction result
    results retry return returned role row rows run running same scope second seconds secret security see select
    selected selecting semi send server service session set setting setup shared should signature site size small soap
    sobject some sort sortable source specified start state statement status still storage stored string subject
    subquery such support supported supports syntax system temporarily temporary than that the their there they this
    time timed timeout to token tokens too total transaction try turned two type types unable unauthorized unavailable
    undefined under unexpected unknown unrecognized unsupported until updated upper uri url usage use used user
    username users using valid validation value values verify version via view violation visible was wasn way were
    what when where which while who will window with within without wrong you your
    """.split()
)
"""Words that say what went wrong: whoever shares one with a record gives nothing away."""


def plain(said: str, *, names: bool = False, own: str = "") -> str:
    """The common words of a server's text, `...` for all else.

    `names`: quoted API names stay where one is due; `own`: so does what is quoted of this text.
    """
    quoted = set(_WORD.findall(own))
    kept, before = list[str](), ""
    for token in _TOKEN.findall(said[:_LONGEST_READ]):
        named = names and before in _NAMED
        kept.append(token if token[0] in "'\"" and token[1:-1] in quoted else _word(token, named=named))
        before = token.casefold()
    text = re.sub(r"(\.\.\. )+(?=\.\.\.( |$))", "", " ".join(kept))
    return re.sub(r"( \.\.\.)+$", "", f" {text[:_LONGEST_SHOWN]}").strip(" ").removesuffix(".") if text else ""


def is_code(text: str) -> bool:
    """Whether a text is the name of an error: all in capitals, or made of common words (invalid_grant)."""
    found = _ERROR.fullmatch(text)
    return found is not None and (found[1] is not None or all(part.casefold() in PLAIN for part in _PART.findall(text)))


def known_code(text: str) -> str:
    """The first code in a text that is made of common words, such as QUERY_TIMEOUT; empty where there is none."""
    found = (match[0] for match in _CODE.finditer(text))
    return next((code for code in found if all(part.casefold() in PLAIN for part in code.split("_"))), "")


def _word(token: str, *, named: bool) -> str:
    if token[0] in "'\"":
        return token if named and _NAME.fullmatch(token) else "'...'"
    inner = token.strip(_EDGES)
    common = bool(inner) and all(len(part) < 2 or part.casefold() in PLAIN for part in _INNER.split(inner))
    return token if common else HIDDEN
