"""HTTP/2 towards clients by the book, rows F01, F12, F13 and H24 of the catalogue: HTTP in streams (RFC 9113 8).

A malformed request is a stream error: no origin hears of it, and the connection's other requests are served."""
from h2_case import H2Case, bad_request, malformed, origin_got, refused, served, stream_or_connection_error, table
from h2_frames import (CANCEL, END_HEADERS, NO_ERROR, PROTOCOL_ERROR, block, continuation, data, headers, literal,
                       open_headers, rst)
from waiting import until


class Messages(H2Case):
    """8.1: requests, responses, bodies, trailers."""

    def test_8_1_a_response_to_HEAD_has_no_DATA(self):
        client = self.client()
        client.send(headers(1, block(client.fields("HEAD"))))
        stream = client.finish(1)
        self.assert_served(client, stream, b"")
        self.assertEqual(stream.header("content-length"), "2")

    def test_8_1_a_final_response_before_the_body_ends_the_upload_without_an_error(self):
        client = self.client()
        client.send(open_headers(1, client.post(path="/early")), data(1, b"some", False))
        stream = client.finish(1)
        self.assertEqual((stream.status, stream.body, stream.ended), (413, b"big", True))
        client.until(lambda: stream.reset is not None)
        self.assertEqual(stream.reset, NO_ERROR)
        client.send(data(1, b"what was on its way"))
        self.assert_serves_on(client)

    def test_8_1_what_is_cancelled_inside_its_body_reaches_the_origin_as_no_whole_request(self):
        client = self.client()
        client.send(open_headers(1, client.post()), data(1, b"half", False))
        until(lambda: self.requests_of(client), "the request at the origin")
        client.send(rst(1, CANCEL))
        self.assert_serves_on(client)
        connection = next(c for c in self.origin.connections if self.requests_of(client)[0] in c.requests)
        until(lambda: connection.ended, "the origin's connection to end")
        self.assertNotIn(b"\r\n0\r\n", connection.received.partition(client.path.encode())[2])

    def test_8_3_1_without_authority_Host_is_the_target(self):
        client = self.client()
        client.send(headers(1, client.without(":authority", ("host", client.authority))))
        self.assert_served(client, client.finish(1))
        self.assertEqual(self.requests_of(client)[0].header("host"), client.authority)

    def test_8_3_2_a_response_has_status_and_no_other_pseudo_field(self):
        client = self.client()
        names = [name for name, _ in client.ask(1).fields]
        self.assertEqual([name for name in names if name.startswith(":")], [":status"])
        self.assertEqual(names, [name.lower() for name in names])

    def test_8_2_2_a_response_has_no_field_of_the_connection(self):
        client = self.client()
        names = {name for name, _ in client.ask(1).fields}
        self.assertFalse(names & {"connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-connection"})

    def test_a_refusal_of_the_policy_can_be_read(self):
        client = self.client()
        client.send(headers(1, client.replacing(":authority", "denied.test")))
        stream = client.finish(1)
        self.assertEqual((stream.status, stream.ended), (403, True))
        self.assertIn("closed", stream.text())
        self.assertIn("http_request_denied", stream.header("proxy-status"))
        self.assert_serves_on(client)


def posted(*fields, body=(b"body",), end=True):
    """A POST with these fields and its body in these DATA frames."""
    def send(c):
        pieces = [data(1, b, end and n == len(body) - 1) for n, b in enumerate(body)]
        return open_headers(1, c.post(*fields)) + b"".join(pieces)
    return send


def trailed(*fields, end=True):
    def send(c):
        return (open_headers(1, c.post()) + data(1, b"body", False)
                + headers(1, block(fields), END_HEADERS | (1 if end else 0)))
    return send


def get(*fields):
    return lambda c: headers(1, c.get(*fields))


def raw(name, value):
    """A GET with a field as bytes, whatever they are."""
    return lambda c: headers(1, c.get() + literal(name, value))


BODY_ERROR = stream_or_connection_error(1, PROTOCOL_ERROR)

table(Messages, [
    ("8.1", "GET", get(), served()),
    ("8.1", "POST", posted(), served(origin=origin_got(body=b"body"))),
    ("8.1", "POST in many pieces", posted(body=[b"p%d" % n for n in range(50)]),
     served(origin=origin_got(body=b"".join(b"p%d" % n for n in range(50))))),
    ("8.1", "OPTIONS", lambda c: headers(1, block(c.fields("OPTIONS"))), served()),
    ("8.1", "PUT with a body of its announced length", lambda c: open_headers(1, block(
        c.fields("PUT", None, ("content-length", "4")))) + data(1, b"body"),
     served(origin=origin_got(("content-length", "4"), body=b"body"))),
    ("8.1", "trailers", trailed(("x-checksum", "abc")), served(origin=origin_got(body=b"body"))),
    ("8.1", "trailers in two frames",
     lambda c: open_headers(1, c.post()) + data(1, b"body", False)
     + headers(1, literal("x-one", "1"), 1) + continuation(1, literal("x-two", "2")),
     served(origin=origin_got(body=b"body"))),
    ("8.1", "trailers without END_STREAM", trailed(("x-checksum", "abc"), end=False), BODY_ERROR),
    ("8.1", "a pseudo-header field in trailers", trailed((":method", "GET")), BODY_ERROR),
    ("8.1", "an uppercase field in trailers", trailed(("X-Checksum", "abc")), BODY_ERROR),
    ("8.1", "a field of the connection in trailers", trailed(("connection", "close")), BODY_ERROR),
    ("8.1.1", "content-length and no body", get(("content-length", "1")), malformed()),
    ("8.1.1", "content-length of 0 and no body", get(("content-length", "0")), served()),
    ("8.1.1", "more than content-length", posted(("content-length", "3")), BODY_ERROR),
    ("8.1.1", "less than content-length", posted(("content-length", "5")), BODY_ERROR),
    ("8.1.1", "more than content-length in several frames",
     posted(("content-length", "3"), body=[b"a", b"b", b"c", b"d"]), BODY_ERROR),
    ("8.1.1", "less than content-length in several frames",
     posted(("content-length", "5"), body=[b"a", b"b", b"c", b"d"]), BODY_ERROR),
    ("8.1.1", "less than content-length before trailers",
     lambda c: open_headers(1, c.post(("content-length", "5"))) + data(1, b"body", False)
     + headers(1, block([("x-a", "b")])), BODY_ERROR),
    ("8.1.1", "content-length twice", posted(("content-length", "4"), ("content-length", "4")), malformed()),
    ("8.1.1", "two different content-lengths", posted(("content-length", "4"), ("content-length", "5")), malformed()),
    ("8.1.1", "a list as content-length", posted(("content-length", "4, 4")), malformed()),
    ("8.1.1", "a signed content-length", posted(("content-length", "+4")), malformed()),
    ("8.1.1", "a negative content-length", posted(("content-length", "-4")), malformed()),
    ("8.1.1", "a hexadecimal content-length", posted(("content-length", "0x4")), malformed()),
    ("8.1.1", "a content-length that wraps around", posted(("content-length", "18446744073709551620")), malformed()),
    ("8.1.1", "an empty content-length", posted(("content-length", "")), malformed()),
])


class Fields(H2Case):
    """8.2: names, values, fields of the connection, cookies."""


table(Fields, [
    ("8.2.1", "an uppercase name", raw("X-Upper", "x"), malformed()),
    ("8.2.1", "one uppercase letter", raw("x-uppeR", "x"), malformed()),
    ("8.2.1", "an empty name", raw("", "x"), malformed()),
    ("8.2.1", "a space in a name", raw("x y", "x"), malformed()),
    ("8.2.1", "a space behind a name", raw("x-a ", "x"), malformed()),
    ("8.2.1", "a colon in a name", raw("x:y", "x"), malformed()),
    ("8.2.1", "a line end in a name", raw("x\r\ny", "x"), malformed()),
    ("8.2.1", "NUL in a name", raw("x\0y", "x"), malformed()),
    ("8.2.1", "a name that is not ASCII", raw("x-\xe9", "x"), malformed()),
    ("8.2.1", "DEL in a name", raw("x\x7f", "x"), malformed()),
    ("8.2.1", "NUL in a value", raw("x-a", "a\0b"), malformed()),
    ("8.2.1", "CR in a value", raw("x-a", "a\rb"), malformed()),
    ("8.2.1", "LF in a value", raw("x-a", "a\nb"), malformed()),
    ("8.2.1", "a whole request in a value", raw("x-a", "a\r\nHost: evil.test\r\n\r\nGET / HTTP/1.1"), malformed()),
    ("8.2.1", "a space before a value", raw("x-a", " a"), malformed()),
    ("8.2.1", "a space behind a value", raw("x-a", "a "), malformed()),
    ("8.2.1", "a tab before a value", raw("x-a", "\ta"), malformed()),
    ("8.2.1", "spaces inside a value", raw("x-a", "a \t b"), served(origin=origin_got(("x-a", "a \t b")))),
    ("8.2.2", "connection", get(("connection", "close")), malformed()),
    ("8.2.2", "connection that names a field", get(("connection", "x-a"), ("x-a", "b")), malformed()),
    ("8.2.2", "keep-alive", get(("keep-alive", "timeout=5")), malformed()),
    ("8.2.2", "proxy-connection", get(("proxy-connection", "keep-alive")), malformed()),
    ("8.2.2", "transfer-encoding", posted(("transfer-encoding", "chunked"), body=[b"4\r\nbody\r\n0\r\n\r\n"]),
     malformed()),
    ("8.2.2", "transfer-encoding beside content-length",
     posted(("transfer-encoding", "chunked"), ("content-length", "4")), malformed()),
    ("8.2.2", "upgrade", get(("upgrade", "h2c")), malformed()),
    ("8.2.2", "upgrade to WebSocket", get(("connection", "upgrade"), ("upgrade", "websocket")), malformed()),
    ("8.2.2", "te of trailers", get(("te", "trailers")), served()),
    ("8.2.2", "te of something else", get(("te", "gzip")), malformed()),
    ("8.2.2", "te of trailers and something else", get(("te", "trailers, deflate")), malformed()),
    ("8.2.3", "cookies in pieces become one", get(("cookie", "a=1"), ("cookie", "b=2"), ("cookie", "c=3")),
     served(origin=origin_got(("cookie", "a=1; b=2; c=3")))),
    ("8.2.3", "cookies in pieces with fields in between", get(("cookie", "a=1"), ("x-a", "b"), ("cookie", "b=2")),
     served(origin=origin_got(("cookie", "a=1; b=2"), ("x-a", "b")))),
    ("8.2", "fields for the proxy go no further", get(("proxy-authorization", "Basic eDp5")),
     served(origin=origin_got(without=["proxy-authorization"]))),
])


class PseudoFields(H2Case):
    """8.3: pseudo-header fields, and 8.5: those of CONNECT."""


def pseudo(*pairs):
    """A request of these fields only; values may be functions of the client."""
    return lambda c: headers(1, block([(name, value(c) if callable(value) else value) for name, value in pairs]))


def authority(c):
    return c.authority


def path(c):
    return c.path


def having(name, value, method="GET"):
    return lambda c: headers(1, c.replacing(name, value(c) if callable(value) else value, method))


table(PseudoFields, [
    ("8.3", "an unknown pseudo-header field", get((":unknown", "x")), malformed()),
    ("8.3", "an unknown pseudo-header field in first place",
     lambda c: headers(1, block([(":unknown", "x")]) + c.get()), malformed()),
    ("8.3", "a response's pseudo-header field", lambda c: headers(1, block([(":status", "200")]) + c.get()),
     malformed()),
    ("8.3", "protocol without extended CONNECT", lambda c: headers(1, block([(":protocol", "websocket")]) + c.get()),
     malformed()),
    ("8.3", "a pseudo-header field behind a regular one",
     lambda c: headers(1, block([("x-a", "b")]) + c.get()), malformed()),
    ("8.3", "the path behind a regular field", pseudo((":method", "GET"), (":scheme", "http"),
                                                      (":authority", authority), ("x-a", "b"), (":path", path)),
     malformed()),
    ("8.3", "two methods", lambda c: headers(1, block([(":method", "GET")]) + c.get()), malformed()),
    ("8.3", "two schemes", lambda c: headers(1, block([(":scheme", "http")]) + c.get()), malformed()),
    ("8.3", "two paths", lambda c: headers(1, block([(":path", c.path)]) + c.get()), malformed()),
    ("8.3", "two authorities", lambda c: headers(1, block([(":authority", c.authority)]) + c.get()), malformed()),
    ("8.3", "uppercase in a pseudo-header field",
     pseudo((":Method", "GET"), (":scheme", "http"), (":path", path), (":authority", authority)), malformed()),
    ("8.3.1", "no method", lambda c: headers(1, c.without(":method")), malformed()),
    ("8.3.1", "no scheme", lambda c: headers(1, c.without(":scheme")), malformed()),
    ("8.3.1", "no path", lambda c: headers(1, c.without(":path")), malformed()),
    ("8.3.1", "neither authority nor Host", lambda c: headers(1, c.without(":authority")), malformed()),
    ("8.3.1", "an empty path", having(":path", ""), bad_request()),
    ("8.3.1", "a path without slash", having(":path", "index.html"), bad_request()),
    ("8.3.1", "a path that is a whole URI", having(":path", lambda c: "http://%s/" % c.authority), bad_request()),
    ("8.3.1", "a space in the path", having(":path", "/a b"), bad_request()),
    ("8.3.1", "a line end in the path", having(":path", "/ HTTP/1.1\r\nx: y"), bad_request()),
    ("8.3.1", "a star with GET", having(":path", "*"), bad_request()),
    ("8.3.1", "an empty method", having(":method", ""), bad_request()),
    ("8.3.1", "a space in the method", having(":method", "GET /x"), bad_request()),
    ("8.3.1", "a line end in the method", having(":method", "GET\r\n"), bad_request()),
    ("8.3.1", "an empty scheme", having(":scheme", ""), bad_request()),
    ("8.3.1", "a scheme that is none", having(":scheme", "ht tp"), bad_request()),
    ("8.3.1", "a scheme that nobody serves", having(":scheme", "gopher"), refused(501)),
    ("8.3.1", "an empty authority", having(":authority", ""), bad_request()),
    ("8.3.1", "userinfo in the authority", having(":authority", lambda c: "user@" + c.authority), bad_request()),
    ("8.3.1", "a path in the authority", having(":authority", lambda c: c.authority + "/x"), bad_request()),
    ("8.3.1", "a line end in the authority", having(":authority", lambda c: c.authority + "\r\n"), bad_request()),
    ("8.3.1", "a port that is none", having(":authority", "origin.test:port"), bad_request()),
    ("8.3.1", "Host that says the same", lambda c: headers(1, c.get(("host", c.authority))), served()),
    ("8.3.1", "Host that says something else", get(("host", "other.test")), bad_request()),
    ("8.3.1", "two Hosts that agree", lambda c: headers(1, c.get(("host", c.authority), ("host", c.authority))),
     bad_request()),
    ("8.3.1", "two Hosts and no authority", lambda c: headers(
        1, c.without(":authority", ("host", c.authority), ("host", "other.test"))), bad_request()),
    ("8.3.1", "OPTIONS with a star", having(":path", "*", "OPTIONS"), served()),
    ("8.5", "CONNECT with a path", pseudo((":method", "CONNECT"), (":authority", authority), (":path", "/")),
     malformed()),
    ("8.5", "CONNECT with a scheme", pseudo((":method", "CONNECT"), (":authority", authority), (":scheme", "http")),
     malformed()),
    ("8.5", "CONNECT without authority", pseudo((":method", "CONNECT")), bad_request()),
    ("8.5", "CONNECT to a host without port", pseudo((":method", "CONNECT"), (":authority", "origin.test")),
     bad_request()),
    ("8.5", "CONNECT to port 0", pseudo((":method", "CONNECT"), (":authority", "origin.test:0")), bad_request()),
    ("8.5", "CONNECT with content-length",
     lambda c: open_headers(1, c.connect() + literal("content-length", "5")), bad_request()),
    ("8.5", "extended CONNECT of an unknown protocol",
     pseudo((":method", "CONNECT"), (":protocol", "connect-udp"), (":scheme", "http"), (":path", "/"),
            (":authority", authority)), refused(501)),
])
