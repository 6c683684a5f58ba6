"""WebSocket for tests: the handshake's arithmetic (RFC 6455 4.2.2), origins that switch or do not, extended CONNECT."""
import base64
import hashlib

from h2_frames import block, open_headers

SAMPLE_KEY, SAMPLE_ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455 1.3
SALT = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_of(key):
    return base64.b64encode(hashlib.sha1((key + SALT).encode()).digest()).decode()


def switching(key, *more, without=()):
    """A 101 to that key, with some of its fields left out, and more of them."""
    fields = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept_of(key))]
    lines = ["%s: %s\r\n" % field for field in fields if field[0] not in without] + [line + "\r\n" for line in more]
    return ("HTTP/1.1 101 Switching Protocols\r\n%s\r\n" % "".join(lines)).encode()


def switches(*more, then=b"", without=()):
    """Script: a 101, with `then` behind it in one piece; gives back in capitals what comes, and the FIN."""
    def script(connection):
        request = connection.read_request()
        if request is None:
            return
        connection.send(switching(request.header("sec-websocket-key"), *more, without=without) + then)
        while connection.reader.more():
            connection.send(connection.reader.rest().upper())
        connection.fin()
    return script


def ask_fields(authority, path, *more, protocol="websocket", scheme="http"):
    return [(":method", "CONNECT"), (":protocol", protocol), (":scheme", scheme), (":path", path),
            (":authority", authority), ("sec-websocket-version", "13"), *more]


def ask(client, number, *more, path="/chat", **other):
    """Extended CONNECT on a stream of a CaseClient. Gives the stream, once it is answered."""
    client.until(lambda: client.settings)
    client.send(open_headers(number, block(ask_fields(client.authority, path, *more, **other))))
    stream = client.stream(number)
    client.until(lambda: stream.fields or stream.done)
    return stream
