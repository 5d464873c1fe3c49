"""The console: one page for a running SMSC, made once and served as bytes.

The page speaks to the API like any other client; nothing of the server is kept for a visitor.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, get_args

from fastapi import APIRouter, Response

from fake_smsc.faults.registry import FAULTS, sentence
from fake_smsc.scenario import FAULT_PARAMETERS, Mode
from simbench.numbering.plan import plan_of
from simbench.service.platform import ServedPlatform
from simbench.service.problems import Refusal
from simbench.service.records import Sought

PAGE: Final = Path(__file__).with_name("page")
KINDS: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
PLACE: Final = "@FACTS@"  # of the facts, in the page
PARAMETERS: Final = ("delay_s", "ec", "ot", "octets", "octets_per_s", "per_s", "after")
OF_ALL: Final = ("share", "code", "from_s", "for_s")  # that every fault takes, or almost


def console(platform: ServedPlatform) -> APIRouter:
    """The page at "/" and its parts at "/page/"; they are read now."""
    texts = {path.name: path.read_text("utf-8") for path in PAGE.iterdir() if path.suffix in KINDS}
    written = json.dumps(facts(platform)).replace("<", "\\u003c")  # no text of a scenario ends the element it is in
    texts["index.html"] = texts["index.html"].replace(PLACE, written)
    ready = {name: (text.encode(), f"{KINDS[Path(name).suffix]}; charset=utf-8") for name, text in texts.items()}
    router = APIRouter(include_in_schema=False)

    def answer(name: str) -> Response:
        if name not in ready:
            raise Refusal(404, "no such part of the console", "path")
        octets, kind = ready[name]
        return Response(octets, media_type=kind, headers={"Cache-Control": "no-cache"})

    @router.get("/")
    async def page() -> Response:
        return answer("index.html")

    @router.get("/page/{name}")
    async def part(name: str) -> Response:
        return answer(name)

    return router


def facts(platform: ServedPlatform) -> dict[str, Any]:
    """Return the contents of the page that do not change while the server runs."""
    smsc = platform.smsc
    return {
        "scenario": smsc.scenario.name,
        "contract": smsc.contract.name,
        "zone": smsc.contract.calendar.zone,
        "codes": list(platform.control.server.gateway.centre.limiters),
        "subscriber": plan_of(smsc.contract).writer(1),
        "outcomes": list(get_args(Sought)),
        "modes": list(get_args(Mode)),
        "followed": platform.settings.limits.followed_messages,
        "parameters": list(PARAMETERS),
        "of_all": list(OF_ALL),
        "faults": [
            {
                "name": name,
                "what": sentence(name),
                "taken": list(FAULT_PARAMETERS[name]),
                "defaults": {key: str(value) for key, value in fault.parameters.items()},  # as the tables write them
            }
            for name, fault in FAULTS.items()
        ],
    }
