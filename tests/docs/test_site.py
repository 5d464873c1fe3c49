"""The site is built in strict mode, its links are valid, it loads nothing external, and it matches the program."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.shell import ROOT
from tools.reference.generated import PAGES_OF, PLACE
from tools.reference.notebooks import names, read

ASSETS = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}
PARTS = ("Tutorial", "Notebooks", "Guides", "Reference", "Background")


class Page(HTMLParser):
    """The links of a page, and the anchors in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.assets: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.ids |= {value for name in ("id", "name") if (value := attributes.get(name))}
        if tag == "a" and (link := attributes.get("href")):
            self.links.append(link)
        if tag in ASSETS and (asset := attributes.get(ASSETS[tag])):
            self.assets.append(asset)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def built(site: Path) -> dict[Path, Page]:
    return {path: Page(path.read_text("utf-8")) for path in site.rglob("*.html")}


def broken(built: dict[Path, Page]) -> Iterator[str]:
    for path, page in built.items():
        for link in (*page.links, *page.assets):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":  # that one is for the root of a server
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                yield f"{path.name}: {link}: no such file"
            elif parts.fragment and target in built and unquote(parts.fragment) not in built[target].ids:
                yield f"{path.name}: {link}: no such anchor"


def test_every_link_and_anchor_leads_somewhere(built: dict[Path, Page]) -> None:
    assert sum(len(page.links) for page in built.values()) > 1000
    assert not list(broken(built))


def test_a_broken_link_would_be_seen(built: dict[Path, Page], site: Path) -> None:
    odd = Page('<a href="nowhere.html">x</a> <a href="index.html#nowhere">y</a>')
    assert len(list(broken({**built, site / "odd.html": odd}))) == 2


def test_no_page_asks_another_host_for_anything(built: dict[Path, Page], site: Path) -> None:
    assets = [asset for page in built.values() for asset in page.assets]
    assert len(assets) > 100
    assert not [asset for asset in assets if urlsplit(asset).netloc]
    for style in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", style.read_text("utf-8")), style


def test_notebooks_are_pages_with_their_charts_and_can_be_downloaded(site: Path, built: dict[Path, Page]) -> None:
    for name in names():
        page = built[site / "notebooks" / f"{name}.html"]
        assert f"download/{name}.ipynb" in page.links
        copy = (site / "notebooks" / "download" / f"{name}.ipynb").read_bytes()
        assert copy == (ROOT / "docs" / "notebooks" / f"{name}.ipynb").read_bytes()
        shown = [output for cell in read(name).cells for output in cell.get("outputs", ())]
        pictures = [one for one in page.assets if one.startswith("data:image/png;base64,")]
        assert len(pictures) == sum("image/png" in one.get("data", {}) for one in shown)
    assert not (site / "notebooks" / "year_sla.ipynb").exists()


def test_the_site_has_its_parts(site: Path) -> None:
    home = (site / "index.html").read_text("utf-8")
    assert all(f'<span class="caption-text">{part}</span>' in home for part in PARTS)


@pytest.mark.parametrize("name", PAGES_OF)
def test_a_page_drawn_from_the_program_is_up_to_date(name: str) -> None:
    drawn = PAGES_OF[name]()
    assert (PLACE / name).read_text("utf-8") == drawn, "run: python -m tools.reference --write"
    assert len(drawn) > 1500


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / "README.md").read_text("utf-8"))
    assert len(links) > 15
    assert not [link for link in links if not (ROOT / link).exists()]
