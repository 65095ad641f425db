"""A certificate authority, and a system that trusts it as systems do."""

import hashlib
from pathlib import Path

import trustme
from cryptography import x509


def subject_hash(certificate: bytes) -> str:
    """Return the name that OpenSSL looks a certificate (PEM) up by, without its number.

    It is made from the subject with its text in lower case and without its outer frame.
    """
    subject = x509.load_pem_x509_certificate(certificate).subject
    parts = [
        x509.RelativeDistinguishedName(
            x509.NameAttribute(part.oid, " ".join(str(part.value).lower().split())) for part in rdn
        )
        for rdn in subject.rdns
    ]
    frame = x509.Name(parts).public_bytes()
    skipped = 2 if frame[1] < 0x80 else 2 + (frame[1] & 0x7F)
    digest = hashlib.sha1(frame[skipped:], usedforsecurity=False).digest()
    return digest[3::-1].hex()


def add_to_folder(folder: Path, *authorities: trustme.CA) -> None:
    """Put certificates into a folder as `openssl rehash` does."""
    folder.mkdir(exist_ok=True)
    for authority in authorities:
        pem = authority.cert_pem.bytes()
        (folder / f"{subject_hash(pem)}.0").write_bytes(pem)
