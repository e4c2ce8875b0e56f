"""The Microsoft Graph adapter."""

from calsync.providers.graph.oauth import GraphCredentials, GraphEndpoints
from calsync.providers.graph.payload import TRAITS
from calsync.providers.graph.provider import GraphProvider

__all__ = ["TRAITS", "GraphCredentials", "GraphEndpoints", "GraphProvider"]
