"""A customer of the merchant's: gets deposit addresses through the `public` API and pays there, on chain."""

import httpx

from payouts.demo.program import TIMEOUT_S
from payouts.demo.terminal import Differs


class Customer:
    """Somebody whom the merchant's program gave an address on each network."""

    def __init__(self, base_url: str, *, user_id: str, apikey: str, api_secret: str) -> None:
        """Have the wallet generated.

        Raises: Differs.
        """
        self.user_id = user_id
        headers = {"apikey": apikey, "x-api-secret": api_secret}
        self._http = httpx.Client(base_url=base_url, timeout=TIMEOUT_S, trust_env=False, headers=headers)
        body = {"userId": user_id, "email": f"{user_id}@shop.example"}
        answer = self._http.post("/api/v1/public/wallet/generate", json=body)
        if answer.status_code != httpx.codes.CREATED:
            raise Differs(f"wallet/generate answered {answer.status_code}: {answer.text[:300]}")
        self.addresses: dict[str, str] = {one["network"]: one["address"] for one in answer.json()["data"]["wallets"]}

    def owed(self) -> str:
        """What the merchant owes the customer.

        Raises: Differs.
        """
        answer = self._http.get("/api/v1/public/user/balance", params={"userId": self.user_id})
        if answer.status_code != httpx.codes.OK:
            raise Differs(f"user/balance answered {answer.status_code}: {answer.text[:300]}")
        return f"{answer.json()['data']['totalAmt']:.2f}"

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()
