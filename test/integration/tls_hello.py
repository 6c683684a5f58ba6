"""ClientHellos, byte by byte (RFC 8446 4.1.2), cut into records as a test likes."""
import os
import struct


def vector(data, length_bytes):
    return len(data).to_bytes(length_bytes, "big") + data


def extension(kind, data):
    return struct.pack("!H", kind) + vector(data, 2)


def grease_ech():
    """An encrypted_client_hello that only looks like one (RFC 9849 6.2): outer, HKDF-SHA256, AES-128-GCM."""
    return extension(0xFE0D, b"\0\0\1\0\1\7" + vector(os.urandom(32), 2) + vector(os.urandom(144), 2))


def client_hello(name=None, alpn=("http/1.1",), padding=0, more=b"", post_quantum=False,
                 versions=(0x0304, 0x0303), ciphers=(0x1301, 0x1302, 0xC02F)):
    """A handshake message. `name`: the SNI, bytes or text; `padding`: bytes of a padding extension; `post_quantum`: a
    key share of X25519MLKEM768 comes first, of 1,216 bytes."""
    extensions = b""
    if name is not None:
        host = name if isinstance(name, bytes) else name.encode()
        extensions += extension(0, vector(b"\0" + vector(host, 2), 2))
    extensions += extension(10, vector(struct.pack("!HH", 29, 23), 2))  # groups
    extensions += extension(13, vector(struct.pack("!HHH", 0x0403, 0x0804, 0x0401), 2))  # signature algorithms
    extensions += extension(43, vector(struct.pack("!%dH" % len(versions), *versions), 1))
    shares = struct.pack("!H", 29) + vector(os.urandom(32), 2)
    if post_quantum:
        shares = struct.pack("!H", 0x11EC) + vector(os.urandom(1216), 2) + shares
    extensions += extension(51, vector(shares, 2))
    if alpn:
        extensions += extension(16, vector(b"".join(vector(a.encode(), 1) for a in alpn), 2))
    extensions += more
    if padding:
        extensions += extension(21, bytes(padding))
    suites = struct.pack("!%dH" % len(ciphers), *ciphers)
    body = (b"\x03\x03" + os.urandom(32) + vector(os.urandom(32), 1) + vector(suites, 2) + vector(b"\0", 1)
            + vector(extensions, 2))
    return b"\x01" + vector(body, 3)


def records(handshake, size=16384):
    """The message in TLS records of at most `size` bytes."""
    pieces = [handshake[at:at + size] for at in range(0, len(handshake), size)]
    return b"".join(b"\x16\x03\x01" + vector(piece, 2) for piece in pieces)



