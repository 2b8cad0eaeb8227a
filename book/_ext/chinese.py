"""Search finds Chinese words, which no space separates, beside the English ones.

Sphinx looks for a part of a word only if that part has three characters, and most
Chinese words have two. So every part of up to four characters is a word of the index.
"""
import re

from sphinx.search.en import SearchEnglish

LONGEST = 4
HAN = r"\u3400-\u9fff"


def parts(run):
    """A run of Chinese characters, and each part of it that may be a word."""
    return [run, *(run[start:end] for start in range(len(run))
                   for end in range(start + 1, min(start + LONGEST, len(run)) + 1))]


class SearchEnglishAndChinese(SearchEnglish):
    # Splits queries as `split` splits pages: FM层 is two words.
    js_splitter_code = f"""
var splitQuery = (query) => query.match(
  /[{HAN}]+|(?:(?![{HAN}])[\\p{{Letter}}\\p{{Number}}_\\p{{Emoji_Presentation}}])+/gu)
  || [];
"""

    def split(self, text):
        runs = re.findall(f"[{HAN}]+|[^\\W{HAN}]+", text)
        return [word for run in runs
                for word in (parts(run) if re.match(f"[{HAN}]", run) else [run])]


def setup(app):
    app.add_search_language(SearchEnglishAndChinese)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
