"""UCP octets to centre commands and back: the SMSC's end of every connection. Opens no socket and reads no clock."""

from fake_smsc.ucp_gateway.gateway import Gateway
from fake_smsc.ucp_gateway.line import GatewaySettings, Line, Mute

__all__ = ["Gateway", "GatewaySettings", "Line", "Mute"]
