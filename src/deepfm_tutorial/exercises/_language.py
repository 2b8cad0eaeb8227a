"""What the checks say, in the reader's language if there is a catalogue for it.

A session's language is what its environment says, in gettext's order: the first that is
set of LANGUAGE, LC_ALL, LC_MESSAGES and LANG. The checks know English alone. Here their
messages are translated on the way to the reader, from `zh_CN.po`.
"""
import os
import re
from ast import literal_eval
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from string import Formatter

CATALOGUES = {"zh": "zh_CN.po"}
"""First two letters of a language → its file in this folder."""

ENTRY = re.compile(r'^(#, fuzzy\n)?msgid (".*")\nmsgstr (".*")$', re.M)


def session_language() -> str:
    """Return the first two letters of the session's language."""
    names = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    return next(filter(None, map(os.environ.get, names)), "en")[:2]


@cache
def catalogue(language: str) -> list[tuple[re.Pattern, str]]:
    """Return a language's messages: a pattern of the English one, the translation.

    {0}, {1}, … in a message stand for what a check fills in.
    """
    if language not in CATALOGUES:
        return []
    pairs = entries(Path(__file__).with_name(CATALOGUES[language]).read_text("utf-8"))
    # "The shape is {0}, not {1}." also fits what a longer message says.
    pairs.sort(key=lambda pair: len(re.sub(r"\{\d\}", "", pair[0])), reverse=True)
    return [(_pattern(english), translated) for english, translated in pairs
            if english and translated]


def entries(text: str) -> list[tuple[str, str]]:
    """Return a catalogue's messages and translations.

    One that is marked fuzzy is left out: its English has changed since it was made.
    """
    return [(literal_eval(english), literal_eval(translation))
            for fuzzy, english, translation in ENTRY.findall(text) if not fuzzy]


def _pattern(message: str) -> re.Pattern:
    parts = [re.escape(text) + (f"(?P<_{number}>.*)" if number is not None else "")
             for text, number, *_ in Formatter().parse(message)]
    return re.compile("".join(parts), re.S)


def translated(message: str) -> str:
    """Return a check's message in the session's language, or as it is."""
    for pattern, translation in catalogue(session_language()):
        if found := pattern.fullmatch(message):
            values = {name[1:]: translated(value)  # perhaps a message in a message
                      for name, value in found.groupdict().items()}
            return re.sub(r"\{(\d)\}", lambda place: values[place[1]], translation)
    return message


def in_readers_language(check: Callable) -> Callable:
    """Return the check with a message that its reader's session understands."""
    @wraps(check)
    def checked(*answer, **named):
        try:
            return check(*answer, **named)
        except AssertionError as error:
            # Two lines of traceback, the reader's and this one.
            raise AssertionError(translated(str(error))) from None
    return checked
