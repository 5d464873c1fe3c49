"""The notebooks run in a kernel of their own and show what they keep."""

from __future__ import annotations

import base64
import copy
import io
import json
import re
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient.exceptions import CellExecutionError
from PIL import Image

from tools.reference.notebooks import PLACE, differences, markdown, names, read, run

LONG = {"client_test", "two_campaigns", "which_tier", "year_sla"}  # more than ten seconds
MOST_OCTETS = 250_000


def notebook(*sources: str) -> Any:
    cells = [nbformat.v4.new_code_cell(one) for one in sources]  # type: ignore[no-untyped-call]
    return nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]


def test_there_are_these_notebooks() -> None:
    assert names() == ["client_test", "dialup_month", "two_campaigns", "which_tier", "year_sla"]


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.slow] * (name in LONG)) for name in names()])
def test_a_notebook_runs_and_shows_what_it_keeps(name: str) -> None:
    kept = read(name)
    again = "python -m tools.reference.notebooks " + name
    assert list(differences(kept, run(kept))) == [], f"if it is right: {again}"


@pytest.mark.parametrize("name", names())
def test_a_kept_notebook_is_valid_small_and_names_no_machine(name: str) -> None:
    kept = read(name)
    nbformat.validate(kept)
    assert (PLACE / f"{name}.ipynb").stat().st_size < MOST_OCTETS
    cells = [cell for cell in kept.cells if cell.cell_type == "code"]
    assert sum(bool(cell.outputs) for cell in cells) >= 3
    outputs = [output for cell in cells for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {"stream", "execute_result", "display_data"}
    assert not any(output.get("name") == "stderr" for output in outputs)
    texts = json.dumps(
        [{k: v for k, v in one.get("data", {"t": one.get("text")}).items() if "image" not in k} for one in outputs]
    )
    assert not re.search(r"/(tmp|home|root|work|usr)/|127\.0\.0\.1:\d", texts)
    assert max(len(line) for cell in cells for line in cell.source.splitlines()) <= 88, "lines that a page shows whole"


def test_output_that_has_changed_is_seen_and_an_error_ends_the_run() -> None:
    kept = run(notebook("print(1 + 1)", "'text'"))
    assert list(differences(kept, copy.deepcopy(kept))) == []
    kept.cells[0].outputs[0].text = "3\n"
    assert list(differences(kept, run(kept))) == ["cell 1: stream '3\\n' was kept, stream '2\\n' is shown now"]
    kept.cells[1].outputs = []
    assert len(list(differences(kept, run(kept)))) == 2
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        run(notebook("1 / 0"))


def test_a_chart_that_has_changed_is_seen_and_other_edges_of_letters_are_not() -> None:
    plain = np.full((60, 80, 3), 255, np.uint8)
    plain[20:40, 20:40] = 0
    softer, other = plain.copy(), plain.copy()
    softer[20, 20:40] = 60  # the edge of something, drawn by another version
    other[20:40, 50:70] = 0
    kept = notebook("draw()")
    kept.cells[0].outputs = [picture(plain)]
    for pixels, seen in ((plain, 0), (softer, 0), (other, 1), (plain[:50], 1)):
        fresh = copy.deepcopy(kept)
        fresh.cells[0].outputs = [picture(pixels)]
        assert len(list(differences(kept, fresh))) == seen


def picture(pixels: Any) -> Any:
    octets = io.BytesIO()
    Image.fromarray(pixels).save(octets, "png")
    data = {"image/png": base64.b64encode(octets.getvalue()).decode(), "text/plain": "<Figure>"}
    return nbformat.v4.new_output("display_data", data=data)  # type: ignore[no-untyped-call]


def test_a_page_shows_text_tables_and_pictures_in_the_order_of_the_notebook() -> None:
    shown = notebook("draw()")
    table = nbformat.v4.new_output("execute_result", data={"text/html": "<table></table>", "text/plain": "x"})  # type: ignore[no-untyped-call]
    shown.cells[0].outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="a\n"),  # type: ignore[no-untyped-call]
        nbformat.v4.new_output("stream", name="stdout", text="b\n"),  # type: ignore[no-untyped-call]
        table,
        picture(np.zeros((2, 2, 3), np.uint8)),
    ]
    parts = markdown(shown).strip().split("\n\n")
    assert parts[:3] == ["```python\ndraw()\n```", "```text\na\nb\n```", '<div class="output"><table></table></div>']
    assert parts[3].startswith('<div class="output"><img alt="')


PROGRESS = """
import simbench
import simbench.base.progress as shown

shown.QUIET_S = shown.EVERY_S = 0
world = simbench.World(
    ("2026-03-02", "2026-03-03"), {"36010": 10},
    campaigns=[{"name": "n", "code": "36010", "start": "2026-03-02T09:00", "volume": 100}],
)
runs = simbench.simulate(world, replications=3, executor=1, progress=True)
"""


def test_progress_is_one_line_below_the_cell_and_empty_at_the_end() -> None:
    (cell,) = run(notebook(PROGRESS)).cells
    (line,) = cell.outputs
    assert line.output_type == "display_data", "the same line every time, and none on standard error"
    assert line.data["text/plain"] == ""
