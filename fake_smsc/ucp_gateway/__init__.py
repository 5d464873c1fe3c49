"""Translates between UCP octets and the centre: the SMSC's end of every connection."""

from fake_smsc.ucp_gateway.gateway import Gateway
from fake_smsc.ucp_gateway.line import GatewaySettings, Line, Mute

__all__ = ["Gateway", "GatewaySettings", "Line", "Mute"]
