"""What a translated message must share with the English one.

Numbers, formulas, code, references and links are those of the English message: they may
stand elsewhere in the sentence, and none may be lost, added or changed.
"""
import re
from collections import Counter

from markdown_it import MarkdownIt

MONTHS = ("January February March April May June July August September October "
          "November December").split()
UNITS = {"hundred": 100, "thousand": 1e3, "million": 1e6, "billion": 1e9,
         "百": 100, "千": 1e3, "万": 1e4, "亿": 1e8}
ROLE = re.compile(r"\{([\w:]+)\}`([^`]+)`")
MATH = re.compile(r"\$\$?(?:[^$\\]|\\.)+\$\$?")
CODE = re.compile(r"(`+)(.+?)\1")
LINK = re.compile(r"\]\(([^)\s]*)\)|<(https?://[^>]+)>")
NUMBER = re.compile(r"(\d[\d,]*(?:\.\d+)?|\.\d+)"
                    r"[ -]?((?:hundred|thousand|million|billion)\b|[百千万亿]+)?")


def faults(english: str, translated: str) -> list[str]:
    """Say what a translation lacks or has too much; an empty list if nothing."""
    if english.startswith("\n"):  # a displayed formula
        return [] if translated == english else ["changes the displayed formula"]
    found = []
    for kind, left in _parts(english).items():
        right = _parts(translated)[kind]
        if lost := left - right:
            found.append(f"lacks {kind} {_listed(lost)}")
        if added := right - left:
            found.append(f"adds {kind} {_listed(added)}")
    if "*" in _shown(translated) and "*" not in _shown(english):
        found.append("shows its asterisks: CommonMark wants a space or no punctuation "
                     "beside * and **")
    return found


def _listed(counted: Counter) -> str:
    return ", ".join(map(str, counted.elements()))


def _parts(message: str) -> dict[str, Counter]:
    """Roles, formulas, code, links and numbers of a message."""
    roles = Counter((role, _target(role, text)) for role, text in ROLE.findall(message))
    rest = ROLE.sub(" ", message)
    links = Counter(a or b for a, b in LINK.findall(rest))
    rest = LINK.sub("] ", rest)
    code = Counter(text for _, text in CODE.findall(rest))
    rest = CODE.sub(" ", rest)
    formulas = Counter(MATH.findall(rest))
    places = Counter(re.findall(r"\{\d\}", rest))
    return {"the place": places, "the reference": roles, "the link": links,
            "the code": code, "the formula": formulas,
            "the number": _numbers(MATH.sub(" ", rest))}


def _target(role: str, text: str) -> str:
    """Where a role leads: `text <target>` and `target` lead to one place."""
    named = re.fullmatch(r".*<([^>]+)>", text, re.S)
    return named[1] if named and role != "math" else text


def _numbers(text: str) -> Counter:
    """The numbers by value, so that 10 million and 1000 万 are one."""
    found = Counter(MONTHS.index(month) + 1 for month in MONTHS
                    if re.search(rf"\b{month}\b", text) and month != "May")
    for digits, unit in NUMBER.findall(text):
        value = float(digits.replace(",", ""))
        for word in [unit] if unit.isascii() else unit:
            value *= UNITS.get(word, 1)
        found[round(value, 9)] += 1
    return found


def _shown(message: str) -> str:
    """The text that a page shows, without code and formulas."""
    html = MarkdownIt().render(MATH.sub("x", ROLE.sub("x", message)))
    return re.sub(r"<code>.*?</code>", "", html, flags=re.S)
