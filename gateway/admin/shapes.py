"""How rows of the store look to people and programs: names for numbers, credits for units, times by RFC 3339."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from acl.bind import standing
from acl.money import as_credits
from acl.money import credits as units_of
from acl.reasons import REASONS
from acl.settings import InvalidSettings, Settings
from pdu.constants import STATE_NAMES, STATUS_NAMES
from store.protocol import AccountRow, Contents, LedgerLine, MessageRow, RefusalRow

from .texts import Content

Shape = dict[str, Any]


def moment(milliseconds: int | None) -> str | None:
    if milliseconds is None:
        return None
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def status_of(row: AccountRow, settings: Settings | None) -> str:
    if settings is None:
        return "ERROR" if row.enabled else "DISABLED"
    return standing(settings, row.enabled)


def account(row: AccountRow, binds: int | None) -> Shape:
    """An account is one flat object: what it is, then every setting by its name."""
    fault = None
    try:
        settings = Settings.of(row.settings)
    except InvalidSettings as invalid:  # a row that this version cannot read: shown as it is, allowed nothing
        settings, fault = None, str(invalid)
    return {
        "name": row.name,
        "system_id": row.system_id,
        "status": status_of(row, settings),
        "enabled": row.enabled,
        "balance": as_credits(row.balance),
        "low_credit": settings is not None and row.balance < units_of(settings.low_credit_alert) > 0,
        "binds": binds,
        "created_at": moment(row.created_at),
        **({"error": fault} if fault else {}),
        **(settings.as_mapping() if settings else row.settings),
    }


def version_of(row: AccountRow) -> str:
    """Differs whenever a setting does; a balance and binds do not count."""
    return sha256(json.dumps(row.settings, sort_keys=True).encode()).hexdigest()[:32]


def ledger_line(row: LedgerLine) -> Shape:
    counted = row.kind in ("debit", "refund")
    return {
        "line": row.line,
        "at": moment(row.at),
        "kind": row.kind,
        "amount": as_credits(row.amount),
        "balance_after": as_credits(row.balance_after),
        "messages": int(row.note) if counted and row.note else None,
        "request_id": row.request_id,
        "note": "" if counted else row.note,
    }


def state_of(row: MessageRow) -> str:
    if row.state is not None:
        return STATE_NAMES.get(row.state, str(row.state))
    return "accepted" if row.scheduled_at is None else "scheduled"


def message(row: MessageRow, alphabet: str) -> Shape:
    content = Content.of(row.body, alphabet)
    return {
        "message_id": str(row.wire_id),
        **content._asdict(),
        "state": state_of(row),
        "error": row.error,
        "at": moment(row.at),
        "scheduled_at": moment(row.scheduled_at),
        "done_at": moment(row.done_at),
        "charge": as_credits(row.charge),
        "charge_line": row.charge_line,
        "refund_line": row.refund_line,
    }


def exported_message(row: MessageRow, alphabet: str) -> Shape:
    content = Content.of(row.body, alphabet)
    return {
        "message_id": str(row.wire_id),
        "source_addr": content.source_addr,
        "destination_addr": content.destination_addr,
        "text": content.text,
        "body_hex": content.body_hex,
        "state": state_of(row),
        "charge": as_credits(row.charge),
        "charge_line": row.charge_line,
        "refund_line": row.refund_line,
    }


def exported_line(row: LedgerLine) -> Shape:
    return {
        "line": row.line,
        "at": moment(row.at),
        "kind": row.kind,
        "amount": as_credits(row.amount),
        "balance_after": as_credits(row.balance_after),
    }


def refusal(row: RefusalRow, account_name: str | None) -> Shape:
    return {
        "at": moment(row.at),
        "kind": row.kind,
        "account": account_name,
        "reason": row.reason,
        "why": REASONS.get(row.reason, row.reason),
        "detail": row.detail,
        "peer": row.peer,
        "system_id": row.system_id,
        "source_addr": row.source,
        "destination_addr": row.destination,
        "status": f"0x{row.status:02X}",
        "status_name": STATUS_NAMES.get(row.status, "unknown"),
        "count": row.count,
    }


def contents(found: Contents) -> Shape:
    return {
        "accounts": found.accounts,
        "messages": found.messages,
        "until": moment(found.until or None),
        "octets": found.octets,
    }
