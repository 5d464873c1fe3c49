"""API, console and TLS of `simbench serve`, loaded only when requested."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from fake_smsc.scenario import Scenario
from fake_smsc.server.live import LiveSmsc
from fake_smsc.server.network import Network, Tcp, tls_context
from simbench.base.errors import BadInput
from simbench.base.extras import need

if TYPE_CHECKING:
    from simbench.service.observed import Observed
    from simbench.service.settings import ServiceSettings

CONSOLE_PORT = 8080


class ServeOptions(msgspec.Struct, frozen=True):
    """Folder of the scenario, settings of the service besides the SMSC (None: none), and listener of the SMSC.

    `log`: its file (None: no log), and whether it shows numbers in full.
    """

    place: Path | None
    service: ServiceSettings | None
    network: Network | None
    log: Path | None = None
    unmasked: bool = False

    @classmethod
    def of(cls, scenario: Scenario, place: Path | None, options: dict[str, Any]) -> ServeOptions:
        """Read the options. Raises BadInput."""
        return cls(
            place, service_settings(scenario, options), ucp_tls(options), options["log"], unmasked=options["unmasked"]
        )

    def observed(self, smsc: LiveSmsc) -> Observed | None:
        """Open the log before the SMSC listens, so that it misses no connection; None without a log.

        Raises BadInput.
        """
        if self.log is None:
            return None
        from simbench.service.log import EventLog
        from simbench.service.observed import Observed

        return Observed(smsc, EventLog(self.log, unmasked=self.unmasked))


def service_settings(scenario: Scenario, options: dict[str, Any]) -> ServiceSettings | None:
    """The settings of the requested service, None without one. Raises BadInput."""
    port = options["api"] if options["api"] is not None else CONSOLE_PORT if options["console"] else None
    if port is None:
        certificate = () if options["tls_ucp"] else ("tls_cert", "tls_key")  # an ignored option would look safe
        if options["unmasked"] and not options["log"]:
            raise BadInput("--unmasked", "needs an API or a log", "--api PORT, --console or --log FILE as well")
        for name in ("token_file", *certificate):
            if options[name]:
                expected = "--api PORT or --console as well" + (", or --tls-ucp" if name in certificate else "")
                raise BadInput(f"--{name.replace('_', '-')}", "needs an API", expected)
        return None
    need("console", "--console" if options["console"] else "--api")
    from simbench.service.settings import ServiceSettings, check, networks, read_token

    return check(
        ServiceSettings(
            host=scenario.server.host,
            port=port,
            token=read_token(options["token_file"]),
            allow=networks(scenario.server.allow),
            console=options["console"],
            certificate=options["tls_cert"],
            key=options["tls_key"],
        )
    )


def ucp_tls(options: dict[str, Any]) -> Network | None:
    """The listener of UCP: TLS if requested, None for plain TCP. Raises BadInput."""
    certificate, key = options["tls_cert"], options["tls_key"]
    if not options["tls_ucp"]:
        return None
    if certificate is None or key is None:
        raise BadInput("--tls-ucp", "needs a certificate", "--tls-cert and --tls-key")
    return Tcp(tls_context(certificate, key))


@asynccontextmanager
async def with_service(
    smsc: LiveSmsc, settings: ServiceSettings | None, observed: Observed | None
) -> AsyncIterator[tuple[str, ...]]:
    """Start the requested service, or only the log, besides the SMSC; yield lines for the banner."""
    if settings is None:
        async with observed or nullcontext():
            yield ()
        return
    from simbench.service.serving import served

    async with served(smsc, settings, observed) as (_, port):
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        url = f"{settings.scheme}://{host}:{port}"
        console = (f"  console: {url}/",) if settings.console else ()
        try:
            yield (*console, f"  API: {url}/docs    metrics: {url}/metrics", *_warnings(settings))
        finally:
            gc.unfreeze()  # collect the service's reference cycles before the interpreter ends


def _warnings(settings: ServiceSettings) -> Iterator[str]:
    """The warnings for an API that other machines can reach."""
    from simbench.base.addresses import is_loopback

    if settings.certificate is None and not is_loopback(settings.host):
        yield (
            f"  warning: the API on {settings.host} is plain HTTP: anybody on the way can read the token and change "
            "what passes; add --tls-cert and --tls-key"
        )
