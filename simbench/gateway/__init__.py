"""UCP octets to centre commands and back: the SMSC's end of every connection. Opens no socket and reads no clock."""

from simbench.gateway.core import Gateway
from simbench.gateway.line import GatewaySettings, Line, Mute

__all__ = ["Gateway", "GatewaySettings", "Line", "Mute"]
