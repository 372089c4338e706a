"""One request to the wallet API, with its fields read in the types that handlers need."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chain.devnet import addresses
from chain.devnet.blocks import Block
from chain.devnet.engine import State
from chain.devnet.node import Node
from chain.devnet.refusals import BadRequest


@dataclass(frozen=True, slots=True)
class Question:
    """A request; `solid` is true under `walletsolidity/`, which sees the chain only up to the solid block."""

    node: Node
    body: Mapping[str, Any]
    solid: bool

    @property
    def visible(self) -> bool:
        """Tell whether addresses shall be in base58."""
        return str(self.body.get("visible", False)).lower() == "true"

    def text(self, name: str) -> str:
        """Read a text.

        Raises: BadRequest.
        """
        value = self.body.get(name)
        if not isinstance(value, str) or not value:
            raise BadRequest(f"{name} is missing")
        return value

    def number(self, name: str, *, default: int = 0) -> int:
        """Read a whole number.

        Raises: BadRequest.
        """
        try:
            return int(self.body.get(name, default))
        except (TypeError, ValueError) as error:
            raise BadRequest(f"{name} is no number") from error

    def data(self, name: str) -> bytes:
        """Read hex; absent is empty.

        Raises: BadRequest.
        """
        try:
            return bytes.fromhex(self.body.get(name) or "")
        except (TypeError, ValueError) as error:
            raise BadRequest(f"{name} is no hex") from error

    def address(self, name: str) -> bytes:
        """Read an address.

        Raises: BadRequest.
        """
        try:
            return addresses.parse(self.text(name))
        except ValueError as error:
            raise BadRequest(f"{name} is no address") from error

    def head(self) -> Block:
        """Find the last block that this request may see."""
        return self.node.solid if self.solid else self.node.head

    def state(self) -> State:
        """Open the state that this request may see."""
        return self.node.state(solid=self.solid)
