"""Names as people compare them: without case, punctuation and the form of the company."""

import re
import unicodedata

#: forms of companies, and words that say as little
NOISE = frozenset(
    ("the", "and", "co", "company", "corp", "corporation", "inc", "incorporated", "llc", "llp")
    + ("lp", "lllp", "pllc", "pc", "ltd", "limited", "plc", "gmbh", "ag", "sa", "srl", "bv", "pty")
)
_GAPS = re.compile(r"[^a-z0-9]+")


def plain_name(name: str) -> str:
    """``Acme Concrete, L.L.C.`` → ``acme concrete``; the name itself where nothing is left."""
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    bare = "".join(each for each in decomposed if not unicodedata.combining(each))
    # The dots of L.L.C. join; all other marks part.
    words = [word for word in _GAPS.split(re.sub(r"[.'’]", "", bare)) if word]
    told = [word for word in words if word not in NOISE]
    return " ".join(told or words) or bare.strip()
