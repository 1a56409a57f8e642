"""What names say: the words in them, what the last one calls the field, and names for memory made of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

LONGEST_NAME = 60
"""Characters of a property's name."""
_FACTS = frozenset(
    "address addresses street city state zip postcode cost costs fee fees price prices amount total rate link links "
    "url urls website domain phone fax mobile email emails mail date time datetime timestamp year month day number "
    "numbers no count code sku po id ids key uuid guid hash currency timezone locale language country region latitude "
    "longitude lat long name title subject headline topic type status stage priority version path file filename photo "
    "picture image avatar size width height length weight color colour quantity percentage percent measurement "
    "measurements dimension dimensions".split()
)
_SAYINGS = frozenset(
    "note notes comment comments description remark remarks bio biography feedback message body transcript summary "
    "content text memo about review testimonial complaint question answer reply".split()
)
_OF_MACHINES = frozenset("error status bounce commit log debug stack system technical".split())
_COPIES = frozenset("preview snippet teaser excerpt truncated".split())
_SECRET = frozenset(
    "password passwd passphrase pwd secret token apikey salt hash ssn iban bic cvv cvc pin otp passport "
    "credential credentials privatekey".split()
)
_PRIVATE = frozenset(
    "health medical diagnosis religion religious ethnicity race sexual disability marital military".split()
)
_FORMS = frozenset("text html plain rtf richtext markdown raw".split())
_STOPS = frozenset("of for in at by per x from to with on visible".split())
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def words_of(name: str) -> list[str]:
    """The words of a name in small letters: `BillingStreet`, `billing_street` and `Billing street` have the same."""
    parts = re.split(r"[\W_]+", _CAMEL.sub(" ", name.removesuffix("__c").removesuffix("__pc")))
    return [part.lower() for part in parts if part]


def head(words: list[str]) -> list[str]:
    """The words up to the one that says what the thing is, which is the last of the result: `fee` of `fee per box`."""
    stop = next((at for at, word in enumerate(words) if at and word in _STOPS), len(words))
    kept = [word.rstrip("0123456789") or word for word in words[:stop]]
    while len(kept) > 1 and kept[-1].isdecimal():
        kept.pop()
    return kept


def says_fact(*names: str) -> str | None:
    """The word by which a name or label calls its field a fact, such as `address`; None where none does."""
    for name in names:
        words = head(words_of(name))
        if words and words[-1] in _FACTS:
            return words[-1]
    return None


def says_words(*names: str) -> str | None:
    """The word by which a name or label says that people write there, such as `comment`; None where none does."""
    for name in names:
        words = head(words_of(name))
        if words and words[-1] in _SAYINGS and not _OF_MACHINES & set(words):
            return words[-1]
    return None


def is_copy(name: str) -> bool:
    """Whether a name calls its field a shortened copy of another."""
    return bool(_COPIES & set(words_of(name)))


def is_secret(*names: str) -> str | None:
    """The word by which a name calls its field secret or especially private."""
    found = [word for name in names for word in words_of(name) if word in _SECRET | _PRIVATE]
    return found[0] if found else None


def is_reference(name: str, type_: str) -> bool:
    """Whether a field holds the id of another record."""
    words = words_of(name)
    return type_ == "reference" or (len(words) > 1 and words[-1] in {"id", "ids", "uuid", "guid"})


def form(name: str) -> tuple[tuple[str, ...], str]:
    """A name without the word for the form of a text, and that word: `hs_email_html` is `html` of `hs_email`."""
    words = words_of(name)
    forms = [word for word in words if word in _FORMS]
    return tuple(word for word in words if word not in _FORMS), forms[-1] if forms else ""


def property_name(name: str, label: str, taken: Collection[str]) -> str:
    """A name in memory: small letters, digits and underscores, unlike those that are taken."""
    made = unicodedata.normalize("NFKD", "_".join(_spelt(name, label)).replace("ß", "ss"))
    made = re.sub(r"[^a-z0-9_]", "", made) or "field"
    made = f"n{made}" if made[0].isdecimal() else made
    made = made[:LONGEST_NAME].strip("_") or "field"
    if made not in taken:
        return made
    tries = (f"{made[: LONGEST_NAME - 4]}_{number}" for number in range(2, len(taken) + 3))
    return next(one for one in tries if one not in taken)


def _spelt(name: str, label: str) -> list[str]:
    """The words of a name; where its label has the same letters, the label's, which are set apart."""
    words = words_of(name)
    if len(words) > 1 and words[0] == "hs":
        words = words[1:]
    said = words_of(label)
    same = "".join(said) == "".join(words) and not any(len(word) == 1 for word in said)
    return said if same else words


def singular(word: str) -> str:
    """One of several: `companies` is `company`, `Opportunities` is `Opportunity`."""
    if word.lower().endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.lower().endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.lower().endswith("s") and not word.lower().endswith(("ss", "us", "is", "news")) else word


def plural(word: str) -> str:
    """Several of one: `company` is `companies`."""
    if word.endswith("y") and word[-2:-1] not in tuple("aeiou"):
        return word[:-1] + "ies"
    return word if word.endswith("s") else word + ("es" if word.endswith(("x", "ch", "sh")) else "s")


def alike(one: str, other: str) -> bool:
    """Whether two names have the same words, whatever their case, signs and number."""
    return [singular(word) for word in words_of(one)] == [singular(word) for word in words_of(other)]
