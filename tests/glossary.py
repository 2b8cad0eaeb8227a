"""What tests of the catalogues and of search share: the glossary's Chinese names."""
import re
from pathlib import Path


def chinese_names():
    """Each run of Chinese characters in the names of the English glossary."""
    text = (Path(__file__).parents[1] / "book/glossary.md").read_text("utf-8")
    names = re.findall(r"^  \*\*(.+)\.\*\* ", text, re.M)
    return {run for name in names for run in re.findall(r"[\u4e00-\u9fff]+", name)}
