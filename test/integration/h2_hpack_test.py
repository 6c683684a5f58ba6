"""HTTP/2 towards clients by the book, row F01 of the catalogue: header compression (RFC 7541).

Whatever cannot be decoded is a connection error COMPRESSION_ERROR (RFC 9113 4.3): the tables of both ends differ."""
from h2_case import H2Case, connection_error, origin_got, served, table
from h2_frames import COMPRESSION_ERROR, INDEXING, NEVER, PLAIN, headers, indexed, integer, literal, table_size
from hpack.huffman import HuffmanEncoder
from hpack.huffman_constants import REQUEST_CODES, REQUEST_CODES_LENGTH

HUFFMAN = HuffmanEncoder(REQUEST_CODES, REQUEST_CODES_LENGTH)


def huffman(text):
    code = HUFFMAN.encode(text.encode())
    return integer(len(code), 7, 0x80) + code


def coded(code):
    """A string whose Huffman code is given."""
    return integer(len(code), 7, 0x80) + code


class Hpack(H2Case):
    def ask(self, client, number, block):
        client.send(headers(number, block))
        self.assert_served(client, client.finish(number))
        return self.requests_of(client)[-1]

    def test_4_4_old_entries_make_room(self):
        client = self.client()
        fill = b"".join(literal("x-%02d" % n, "v" * 1000, INDEXING) for n in range(4))  # 1036 each of 4096: three stay
        self.ask(client, 1, client.get() + fill)
        got = self.ask(client, 3, client.get() + indexed(62) + indexed(64))
        self.assertEqual((got.header("x-03"), got.header("x-01")), ("v" * 1000, "v" * 1000))
        client.send(headers(5, client.get() + indexed(65)))
        self.assert_connection_error(client, COMPRESSION_ERROR)

    def test_4_4_an_entry_larger_than_the_table_empties_it_and_is_no_error(self):
        client = self.client()
        self.ask(client, 1, client.get() + literal("x-a", "b", INDEXING))
        got = self.ask(client, 3, client.get() + literal("x-large", "v" * 5000, INDEXING))
        self.assertEqual(got.header("x-large"), "v" * 5000)
        client.send(headers(5, client.get() + indexed(62)))
        self.assert_connection_error(client, COMPRESSION_ERROR)

    def test_4_2_a_smaller_table_forgets(self):
        client = self.client()
        self.ask(client, 1, client.get() + literal("x-a", "b", INDEXING))
        self.assertEqual(self.ask(client, 3, client.get() + indexed(62)).header("x-a"), "b")
        self.ask(client, 5, table_size(0) + table_size(4096) + client.get())
        client.send(headers(7, client.get() + indexed(62)))
        self.assert_connection_error(client, COMPRESSION_ERROR)

    def test_6_2_3_a_field_that_is_never_to_be_indexed_is_answered_like_any(self):
        client = self.client()
        got = self.ask(client, 1, client.get() + literal("authorization", "secret", NEVER))
        self.assertEqual(got.header("authorization"), "secret")

    def test_2_2_every_connection_has_tables_of_its_own(self):
        client, other = self.client(), self.client()
        self.ask(client, 1, client.get() + literal("x-a", "b", INDEXING))
        other.send(headers(1, other.get() + indexed(62)))
        self.assert_connection_error(other, COMPRESSION_ERROR)
        self.assertEqual(self.ask(client, 3, client.get() + indexed(62)).header("x-a"), "b")

    def test_2_3_2_a_field_in_the_table_is_known_at_once_and_later(self):
        client = self.client()
        got = self.ask(client, 1, client.get() + literal("x-a", "b", INDEXING) + indexed(62))
        self.assertEqual(got.header("x-a"), "b, b")
        self.assertEqual(self.ask(client, 3, client.get() + literal(62, "c", PLAIN)).header("x-a"), "c")


def get(*more):
    return lambda c: headers(1, c.get() + b"".join(more))


def spelled(c, method):
    """A GET whose fields are represented by `method`: of (name, value) or of an index."""
    return headers(1, b"".join(method(name, value) for name, value in c.fields()))


BROKEN = connection_error(COMPRESSION_ERROR)
GET, HTTP = indexed(2), indexed(6)  # of the static table

table(Hpack, [
    ("2.3.3", "an index behind both tables", get(indexed(62)), BROKEN),
    ("2.3.3", "an index far behind both tables", get(indexed(70000)), BROKEN),
    ("2.3.3", "the name's index behind both tables", get(literal(62, "x")), BROKEN),
    ("2.3.3", "the name's index behind both tables of a field to be indexed", get(literal(62, "x", INDEXING)), BROKEN),
    ("2.3.3", "the name's index behind both tables of a field never to be indexed", get(literal(62, "x", NEVER)),
     BROKEN),
    ("6.1", "index 0", get(b"\x80"), BROKEN),
    ("6.1", "the static table",
     lambda c: headers(1, GET + HTTP + literal(4, c.path) + literal(1, c.authority) + indexed(16)),
     served(origin=origin_got(("accept-encoding", "gzip, deflate")))),
    ("6.2.1", "literals for the table, names by index",
     lambda c: headers(1, literal(2, "GET", INDEXING) + literal(6, "http", INDEXING) + literal(4, c.path, INDEXING)
                       + literal(1, c.authority, INDEXING)), served()),
    ("6.2.1", "literals for the table, names spelled", lambda c: spelled(c, lambda n, v: literal(n, v, INDEXING)),
     served()),
    ("6.2.2", "literals of no table, names by index",
     lambda c: headers(1, literal(2, "GET") + literal(6, "http") + literal(4, c.path) + literal(1, c.authority)),
     served()),
    ("6.2.2", "literals of no table, names spelled", lambda c: spelled(c, literal), served()),
    ("6.2.3", "literals never for a table, names by index",
     lambda c: headers(1, literal(2, "GET", NEVER) + literal(6, "http", NEVER) + literal(4, c.path, NEVER)
                       + literal(1, c.authority, NEVER)), served()),
    ("6.2.3", "literals never for a table, names spelled", lambda c: spelled(c, lambda n, v: literal(n, v, NEVER)),
     served()),
    ("5.2", "values in Huffman code", lambda c: headers(1, GET + HTTP + literal(4, huffman(c.path)) + literal(
        1, huffman(c.authority))), served()),
    ("5.2", "names and values in Huffman code",
     lambda c: headers(1, c.get() + b"\0" + huffman("x-huffman") + huffman("a value: {~}")),
     served(origin=origin_got(("x-huffman", "a value: {~}")))),
    ("5.2", "an empty value in Huffman code", get(literal("x-empty", b"\x80")),
     served(origin=origin_got(("x-empty", "")))),
    ("5.2", "an empty value", get(literal("x-empty", "")), served(origin=origin_got(("x-empty", "")))),
    ("5.2", "Huffman code padded by more than seven bits", get(literal("x", coded(HUFFMAN.encode(b"abc") + b"\xff"))),
     BROKEN),
    ("5.2", "Huffman code padded by zeros", get(literal("x", coded(b"\x18"))), BROKEN),  # "a" is 00011
    ("5.2", "the end-of-string symbol in Huffman code", get(literal("x", coded(b"\xff\xff\xff\xff"))), BROKEN),
    ("5.2", "Huffman code that ends inside a symbol", get(literal("x", coded(b"\xff\xff\xfe"))), BROKEN),
    ("5.2", "a string longer than its block", get(literal("x", integer(200, 7) + b"short")), BROKEN),
    ("5.2", "a name longer than its block", get(b"\0" + integer(200, 7) + b"short"), BROKEN),
    ("5.1", "an integer that does not end", get(b"\xff" + b"\x80" * 20), BROKEN),
    ("5.1", "an integer of 64 bits", get(b"\xff" + b"\xff" * 9 + b"\x01"), BROKEN),
    ("5.1", "an integer that wraps around 32 bits to an index that is known",
     get(b"\xff" + b"\x83\xff\xff\xff\x0f"), BROKEN),
    ("5.1", "a string's length that wraps around", get(literal("x", b"\x7f\x81\xff\xff\xff\x0f" + b"ab")), BROKEN),
    ("5.1", "a block that ends behind a prefix", get(b"\xff"), BROKEN),
    ("5.1", "an integer of several bytes", get(literal("x-long", "y" * 3000)),
     served(origin=origin_got(("x-long", "y" * 3000)))),
    ("4.2", "a table size behind a field", get(table_size(0)), BROKEN),
    ("4.2", "a table size between fields", get(literal("x", "y"), table_size(100), literal("x", "z")), BROKEN),
    ("4.2", "a table size at the beginning", lambda c: headers(1, table_size(100) + c.get()), served()),
    ("4.2", "two table sizes at the beginning", lambda c: headers(1, table_size(0) + table_size(100) + c.get()),
     served()),
    ("6.3", "a table larger than was allowed", lambda c: headers(1, table_size(1 << 20) + c.get()), BROKEN),
    ("6.3", "a table one byte larger than was allowed", lambda c: headers(1, table_size(4097) + c.get()), BROKEN),
    ("6.3", "the table that was allowed", lambda c: headers(1, table_size(4096) + c.get()), served()),
    ("6.3", "nothing is kept in a table of size 0",
     lambda c: headers(1, table_size(0) + c.get() + literal("x", "y", INDEXING)) + headers(3, c.get() + indexed(62)),
     BROKEN),
    ("5.2", "bytes above 127 in a value", get(literal("x-obs", b"\x02\xc3\xa9")),
     served(origin=origin_got(("x-obs", "\xc3\xa9")))),
    ("6.2.2", "an empty block", lambda c: headers(1, b""), lambda test, client: test.assert_reset(client, 1, 1)),
])
