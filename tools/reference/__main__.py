"""Write the generated pages of docs/reference: `python -m tools.reference --write`."""

from __future__ import annotations

import sys

from tools.reference.generated import PAGES_OF, PLACE

if __name__ == "__main__":
    for name, page in PAGES_OF.items():
        if "--write" in sys.argv:
            (PLACE / name).write_text(page(), "utf-8")
        else:
            sys.stdout.write(page())
