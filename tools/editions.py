"""What the book's editions differ in: language, folder and settings.

All are made from the same sources. The English one is at the root of the pages, each
other one in a folder below it.
"""
from pathlib import Path

import yaml

FOLDERS = {"en": "", "zh_CN": "zh"}
"""Language → folder of its pages below the root."""

PREAMBLE = r"\renewcommand{\sphinxstyleemphasis}[1]{\textbf{#1}}" + "\n"

OWN = {
    "zh_CN": {
        "title": "DeepFM：从独热编码到上线",
        "author": "deepfm_tutorial 的作者们",
        "latex": {"latex_documents": {"targetname": "deepfm_tutorial_zh.tex"}},
        "sphinx": {"config": {
            "language": "zh_CN",
            # Its splitter is book/_ext/chinese.py's, which knows English as well.
            "html_search_language": "en",
            "translation_progress_classes": "untranslated",
            # Chinese characters are not slanted.
            "latex_elements": {"preamble": PREAMBLE},
            "togglebutton_hint": "点击展开",
            "togglebutton_hint_hide": "点击收起",
        }},
    },
}
"""What an edition's settings have instead of those in `_config.yml`."""


def settings(language: str, root: Path, folder: Path) -> Path:
    """Write an edition's settings to `folder`; return the file's path."""
    config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
    _merge(config, {"sphinx": {"config": {"edition_folders": FOLDERS}}})
    _merge(config, OWN.get(language, {}))
    extensions = config["sphinx"]["local_extensions"]  # relative to where settings lie
    _merge(extensions, {name: str(root / place) for name, place in extensions.items()})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"_config.{language}.yml"
    path.write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    return path


def _merge(config: dict, changes: dict) -> None:
    """Put in what an edition has of its own; to the preamble it adds."""
    for name, value in changes.items():
        if isinstance(value, dict) and isinstance(config.get(name), dict):
            _merge(config[name], value)
        else:
            config[name] = config.get(name, "") + value if name == "preamble" else value


if __name__ == "__main__":  # make pdf
    for edition in FOLDERS:
        settings(edition, Path.cwd(), Path("_build/editions") / edition)
