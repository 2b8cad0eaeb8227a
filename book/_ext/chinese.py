"""Search finds Chinese words, which no space separates, beside the English ones.

Sphinx looks for a part of a word only if that part has three characters, and most
Chinese words have two. So the index has every character and every two neighbours, and a
longer query is looked up by its neighbours, all of which a page must have.
"""
import re

from sphinx.search.en import SearchEnglish

HAN = r"\u3400-\u9fff"


def parts(run):
    """The characters of a Chinese run, and each two that stand side by side."""
    return [*run, *map("".join, zip(run, run[1:]))]


class SearchEnglishAndChinese(SearchEnglish):
    # Splits queries as `split` splits pages: FM层 is two words.
    js_splitter_code = f"""
var splitQuery = (query) => (query.match(
  /[{HAN}]+|(?:(?![{HAN}])[\\p{{Letter}}\\p{{Number}}_\\p{{Emoji_Presentation}}])+/gu)
  || []).flatMap((word) => /^[{HAN}]{{3,}}$/.test(word)
    ? Array.from(word.slice(1), (character, i) => word[i] + character) : [word]);
"""

    def split(self, text):
        runs = re.findall(f"[{HAN}]+|[^\\W{HAN}]+", text)
        return [word for run in runs
                for word in (parts(run) if re.match(f"[{HAN}]", run) else [run])]


def setup(app):
    app.add_search_language(SearchEnglishAndChinese)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
