"""When a certificate ends, read straight from its DER: the standard library shows only those of peers."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

UTC_TIME, GENERALIZED_TIME, VERSION = 0x17, 0x18, 0xA0
BEGIN = "-----BEGIN CERTIFICATE-----"
END = "-----END CERTIFICATE-----"


def not_after(pem: Path) -> datetime:
    """Of the first certificate in the file, which is the server's own. ValueError if there is none."""
    text = pem.read_text("ascii", "replace")
    start, end = text.find(BEGIN), text.find(END)
    if start < 0 or end < start:
        raise ValueError("has no certificate in it")
    try:
        return expiry(ssl.PEM_cert_to_DER_cert(text[start : end + len(END)]))
    except (IndexError, ValueError) as error:
        raise ValueError(f"has a certificate that cannot be read: {error}") from None


def expiry(der: bytes) -> datetime:
    """Certificate → tbsCertificate → (version), serialNumber, signature, issuer, validity → notAfter: RFC 5280 §4.1."""
    _tag, outer, _ = element(der, 0)
    _tag, body, _ = element(outer, 0)
    fields, at = list[bytes](), 0
    while len(fields) < 4:
        tag, content, at = element(body, at)
        if tag != VERSION:
            fields.append(content)
    _tag, _content, at = element(fields[3], 0)
    tag, content, _ = element(fields[3], at)
    return moment(tag, content.decode("ascii"))


def element(der: bytes, at: int) -> tuple[int, bytes, int]:
    """-> tag, content, and where the next one begins."""
    tag, size, start = der[at], der[at + 1], at + 2
    if size & 0x80:
        octets = size & 0x7F
        size, start = int.from_bytes(der[start : start + octets], "big"), start + octets
    if start + size > len(der):
        raise ValueError("it ends too early")
    return tag, der[start : start + size], start + size


def moment(tag: int, text: str) -> datetime:
    if tag not in (UTC_TIME, GENERALIZED_TIME):
        raise ValueError("its validity is no time")
    form = "%y%m%d%H%M%SZ" if tag == UTC_TIME else "%Y%m%d%H%M%SZ"
    return datetime.strptime(text, form).replace(tzinfo=UTC)
