"""Certificates for tests, made on the spot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


def pem(*, ends=datetime(2027, 3, 4, tzinfo=UTC), other_key=False):
    """A private key and a certificate for it (or for another one)."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signed = rsa.generate_private_key(public_exponent=65537, key_size=2048) if other_key else key
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "calsync")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(signed.public_key())
    made = made.serial_number(1).not_valid_before(ends - timedelta(days=365)).not_valid_after(ends)
    certificate = made.sign(signed, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return (key.private_bytes(*form) + certificate).decode()
