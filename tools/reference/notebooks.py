"""The notebooks of docs/notebooks: run, compared with the output they keep, and drawn as pages of the site.

`python -m tools.reference.notebooks` runs all of them and keeps their output; names choose some.
"""

from __future__ import annotations

import base64
import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import nbformat
import numpy as np

PLACE: Final = Path(__file__).parents[2] / "docs" / "notebooks"
TIMEOUT_S: Final = 1800  # of a cell; guards against hanging
NEAR: Final = 2.0  # mean difference of two pictures, of 255: other versions of a font draw other edges
KINDS: Final = ("image/png", "text/html", "text/plain")  # the first that an output has is shown


def names() -> list[str]:
    """The notebooks in the order of their names."""
    return sorted(path.stem for path in PLACE.glob("*.ipynb"))


def read(name: str) -> Any:
    """A notebook as nbformat reads it."""
    return nbformat.read(PLACE / f"{name}.ipynb", as_version=4)  # type: ignore[no-untyped-call]


def run(notebook: Any) -> Any:
    """The notebook after all its cells ran in a kernel of its own, in an empty folder. Raises CellExecutionError."""
    from nbclient import NotebookClient
    from traitlets.config import Config

    fresh = nbformat.from_dict(notebook)  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as sockets:
        # Sockets in a folder of its own: free ports may be taken by others before the kernel opens them.
        kernel = {"transport": "ipc", "ip": f"{sockets}/k", "connection_file": f"{sockets}/kernel.json"}
        client = NotebookClient(
            fresh, timeout=TIMEOUT_S, kernel_name="python3", resources={"metadata": {"path": folder}},
            config=Config({"KernelManager": kernel}),
        )  # fmt: skip
        client.execute()
    for cell in fresh.cells:
        cell.metadata.pop("execution", None)
    fresh.metadata.pop("language_info", None)
    return fresh


def write(name: str, notebook: Any) -> None:
    """Keep a notebook with its output."""
    nbformat.write(notebook, PLACE / f"{name}.ipynb")  # type: ignore[no-untyped-call]


def differences(kept: Any, fresh: Any) -> Iterator[str]:
    """Return the present output of a cell that differs from the stored output."""
    for place, (old, new) in enumerate(zip(kept.cells, fresh.cells, strict=True), 1):
        if old.cell_type != "code":
            continue
        before, after = list(_shown(old)), list(_shown(new))
        if len(before) != len(after) or any(not _alike(*pair) for pair in zip(before, after, strict=True)):
            old_text, new_text = _brief(before), _brief(after)
            at = next((at for at, pair in enumerate(zip(old_text, new_text, strict=False)) if pair[0] != pair[1]), 0)
            near = slice(max(0, at - 80), at + 80)
            yield f"cell {place}: {old_text[near]} was kept, {new_text[near]} is shown now"


def _shown(cell: Any) -> Iterator[tuple[str, str]]:
    """The outputs of a cell, each as its kind and content; what a stream prints in pieces is one."""
    printed = ""
    for output in cell.outputs:
        if output.output_type == "stream":
            printed += output.text
            continue
        if printed:
            yield "stream", printed
            printed = ""
        if output.output_type == "error":
            yield "error", f"{output.ename}: {output.evalue}"
            continue
        kind = next(kind for kind in KINDS if kind in output.data)
        yield kind, output.data[kind]
    if printed:
        yield "stream", printed


def _alike(before: tuple[str, str], after: tuple[str, str]) -> bool:
    if before[0] != after[0] or before[0] != "image/png":
        return before == after
    old, new = _pixels(before[1]), _pixels(after[1])
    return old.shape == new.shape and float(np.abs(old - new).mean()) < NEAR


def _pixels(encoded: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    from PIL import Image

    picture = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB")
    return np.asarray(picture, np.float64)


def _brief(shown: list[tuple[str, str]]) -> str:
    return "; ".join(f"{kind} {content!r}" for kind, content in shown) or "nothing"


def markdown(notebook: Any) -> str:
    """A notebook as a page: cells of code as blocks, each with what it shows below it."""
    parts = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        elif cell.cell_type == "code":
            parts.append(f"```python\n{cell.source}\n```")
            parts += [_drawn(kind, content) for kind, content in _shown(cell)]
    return "\n\n".join(parts) + "\n"


def _drawn(kind: str, content: str) -> str:
    if kind == "image/png":
        picture = f"data:image/png;base64,{''.join(content.split())}"
        return f'<div class="output"><img alt="the chart drawn by the cell above" src="{picture}"></div>'
    if kind == "text/html":
        return f'<div class="output">{content}</div>'
    return f"```text\n{content.rstrip()}\n```"


if __name__ == "__main__":
    for each in sys.argv[1:] or names():
        write(each, run(read(each)))
