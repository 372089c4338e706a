"""Transactions that come in through the wallet API."""

from typing import Any

from chain.devnet import accounts, addresses, refusals, signatures, transactions
from chain.devnet.api import account_reads
from chain.devnet.api.question import Question
from chain.devnet.transactions import Transaction


def broadcast(question: Question) -> dict[str, Any]:
    """Take a transaction in JSON."""
    return _broadcast(question, transactions.from_json(question.body))


def broadcast_hex(question: Question) -> dict[str, Any]:
    """Take a transaction in protobuf."""
    return _broadcast(question, transactions.decode_signed(question.data("transaction")))


def sign_weight(question: Question) -> dict[str, Any]:
    """Tell a transaction's id, who may sign it and who did."""
    transaction = transactions.from_json(question.body)
    shown = {
        "result": {"result": True},
        "txid": transaction.txid.hex(),
        "transaction": transactions.to_json(transaction, visible=question.visible),
    }
    owner = transaction.owner
    if not accounts.exists(question.state(), owner):
        error = {"code": "PERMISSION_ERROR", "message": "Account does not exist!"}
        return {"result": error, "transaction": shown}
    answer = {
        "result": {},
        "permission": account_reads.permission(owner, name="owner", visible=question.visible),
        "transaction": shown,
    }
    try:
        signers = [signatures.signer(signature, txid=transaction.txid) for signature in transaction.signatures]
    except ValueError as error:
        return answer | {"result": {"code": "SIGNATURE_FORMAT_ERROR", "message": str(error)}}
    if any(signer != owner for signer in signers):
        return answer | {"result": {"code": "PERMISSION_ERROR", "message": "not contained of permission."}}
    if not signers:
        return answer | {"result": {"code": "NOT_ENOUGH_PERMISSION"}}
    return answer | {
        "approved_list": [addresses.show(signer, visible=question.visible) for signer in signers],
        "current_weight": len(signers),
        "result": {"code": "ENOUGH_PERMISSION"},
    }


def _broadcast(question: Question, transaction: Transaction) -> dict[str, Any]:
    txid = transaction.txid.hex()
    try:
        question.node.broadcast(transaction)
    except refusals.Refused as refusal:
        return {"code": refusal.code, "txid": txid, "message": refusal.message.encode().hex()}
    return {"result": True, "txid": txid}
