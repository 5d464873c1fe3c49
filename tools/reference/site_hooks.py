"""What mkdocs calls while it builds the site: notebooks become pages, and can be downloaded from them."""

from __future__ import annotations

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from tools.reference.notebooks import PLACE, markdown, read


class NotebookPage(File):
    """A notebook as a page, so that other pages link to the notebook itself."""

    def is_documentation_page(self) -> bool:
        """Return True: links to it lead to a page."""
        return True


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Draw each notebook as a page, and copy it to where the page links."""
    for file in list(files):
        folder, _, name = file.src_uri.rpartition("/")
        if folder == PLACE.name and name.endswith(".ipynb"):
            copy = f"{folder}/download/{name}"
            text = f"{markdown(read(name.removesuffix('.ipynb')))}\n[This page as a notebook](download/{name})\n"
            files.remove(file)
            files.append(NotebookPage.generated(config, file.src_uri, content=text))
            files.append(File.generated(config, copy, content=(PLACE / name).read_bytes()))
    return files
