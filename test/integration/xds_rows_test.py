"""The real proxy against a control plane that does wrong, or strange, things on the wire: rows X01 to X24 of the
catalogue. What xds_server_test.py asks of the client alone is asked here of the whole, while traffic flows."""
import time
import unittest

import grpc

import fake_ads
from fake_ads import PATIENCE, message, resource, response
from harness import SANITIZED, allow, deny
from load import Load
from push_case import BAD, SHUT, PushCase, listener, policy
from waiting import until
from wire import Wire

LISTENER, POLICY = "Listener", "EgressPolicy"
UNKNOWN = b"\xfa\xff\xff\xff\x0f\x01x"  # a string of the highest field number that there is


def read_answer(stream, nonce):
    """The answer to that response; what the client asks for in between is passed over."""
    while True:
        request = stream.await_request()
        if request.response_nonce == nonce:
            return fake_ads.Answer(request)


class Scripted(PushCase):
    def begin(self, **more):
        """The proxy, served from a stream that the test writes; gives the stream."""
        self.server = self.ads(scripted=True)
        self.start_pushed(self.server, says="INITIALIZING", **more)
        stream = self.server.await_stream()
        self.tell(stream, response(LISTENER, [(listener(), "1")], nonce="l1"))
        self.tell(stream, response(POLICY, [(policy(), "1")], nonce="p1"))
        until(lambda: self.egret.ready() == "LIVE\n", "the proxy to be ready")
        self.egret.address = self.egret.live_listeners()["egress"]
        self.web = self.origin()
        return stream

    def tell(self, stream, made):
        """Sends it and gives the answer."""
        stream.send(made)
        return read_answer(stream, made.nonce)

    def applied(self):
        return self.egret.metric("egret_config_applied_total")

    def said(self, words):
        return self.egret.stderr().count(words)


class Malformed(Scripted):
    def responses(self):
        """(nonce, what is sent, what the answer says)."""
        garbage = response(POLICY, [(policy(), "2")], nonce="garbage")
        garbage.resources[0].resource.value = b"\x0a\xff\xff\xff\xff\x0fno message"
        yield garbage, "cannot be read as its type"
        foreign = response(POLICY, [(policy(), "2")], nonce="foreign")
        foreign.resources[0].resource.Pack(resource("DomainSet", {"name": "web", "domains": ["a.test"]}))
        yield foreign, "not of the type of its response"
        renamed = response(POLICY, [(policy(name="other"), "2")], nonce="renamed")
        renamed.resources[0].name = "web"
        yield renamed, "not the name that it was sent under"
        yield response(POLICY, [(policy(), "2"), (policy(SHUT), "3")], nonce="twice"), "twice in one response"
        yield response(POLICY, [(policy(SHUT), "2")], ["web"], nonce="both"), "sent and removed in one response"
        yield response(POLICY, [("web", "no such version")], nonce="heartbeat"), "neither a resource nor a heartbeat"

    def test_X01_what_is_malformed_is_refused_by_name_and_the_old_one_serves(self):
        stream = self.begin()
        applied = self.applied()
        for made, why in self.responses():
            with self.subTest(why):
                answer = self.tell(stream, made)
                self.assertEqual((answer.code, {r.name for r in answer.rejections}), (13, {"web"}))
                self.assertIn(why, answer.error)
                self.assertTrue(all(r.reason == why or why in r.reason for r in answer.rejections))
                self.assertEqual((self.status(self.web), self.row("web")["state"]), (200, "parked"))
        self.assertEqual(self.applied(), applied)
        self.assertEqual(self.tell(stream, response(POLICY, [(policy(SHUT), "9")], nonce="good")).error, "")
        self.assertEqual(self.status(self.web), 403)

    def test_X02_each_error_of_meaning_is_told_with_its_field(self):
        stream = self.begin()
        regex = {"name": "r", "action": "ALLOW", "to": {"protocols": ["HTTP"]}, "http": {"path_regexes": ["a("]}}
        for n, (rule, field, value) in enumerate((
                (BAD, "rules[0].to.cidrs[0]", "10.0.0.0/33"),
                (regex, "rules[0].http.path_regexes[0]", "a("),
                ({"name": "r"}, "rules[0].action", ""))):
            with self.subTest(field):
                answer = self.tell(stream, response(POLICY, [(policy(rule), "2")], nonce="bad-%d" % n))
                self.assertEqual([(r.name, r.field, r.value) for r in answer.rejections], [("web", field, value)])
                self.assertTrue(answer.rejections[0].remedy)
                self.assertIn(field, " ".join(self.row("web")["errors"]))
        self.assertEqual(self.status(self.web), 200)

    def test_X03_one_bad_among_a_hundred_and_then_that_one_mended(self):
        names = ["p%02d" % i for i in range(99)] + ["web"]
        stream = self.begin()
        self.tell(stream, response(LISTENER, [(listener("l%d" % i, names[i:i + 10]), "1") for i in range(0, 100, 10)],
                                   nonce="l2"))
        before = self.applied()
        news = [(policy(SHUT if n == "web" else BAD if n == "p57" else deny("d"), allow(), name=n), "2") for n in names]
        answer = self.tell(stream, response(POLICY, news, nonce="100"))
        self.assertEqual([(r.name, r.field) for r in answer.rejections], [("p57", "rules[0].to.cidrs[0]")])
        self.assertEqual([self.row(n)["state"] for n in ("p00", "p57", "p98", "web")], ["parked"] * 4)
        self.assertEqual((self.status(self.web), self.applied()), (200, before))
        answer = self.tell(stream, response(POLICY, [(policy(deny("d"), allow(), name="p57"), "3")], nonce="one"))
        self.assertEqual((answer.error, self.status(self.web)), ("", 403))
        states = self.states()
        self.assertEqual({states[n] for n in names}, {"in_force"})
        self.assertEqual((self.applied(), len(self.egret.live_listeners())), (before + 1, 11))

    def test_X04_a_bad_push_again_and_again_costs_a_line_and_no_request(self):
        stream = self.begin()
        load = Load(self.egret.address, self.url(self.web))
        self.addCleanup(load.stop)
        for n in range(1000):
            stream.send(response(POLICY, [(policy(BAD), "2")], nonce="bad-%d" % n))
        for n in range(1000):
            self.assertEqual([r.version for r in read_answer(stream, "bad-%d" % n).rejections], ["2"])
        load.wait_served(50)
        self.assertEqual(load.stop(), [])
        self.assertEqual((self.said("10.0.0.0/33"), self.applied()), (1, 2))
        self.assertEqual(self.egret.metric("egret_xds_rejected_total", type=POLICY), 1000)

    def test_X22_what_nobody_asked_for_is_ignored_and_told_once(self):
        stream = self.begin()
        cluster = response("DomainSet", [], nonce="cluster")
        cluster.type_url = fake_ads.URL + "envoy.config.cluster.v3.Cluster"
        for n in range(5):
            stream.send(cluster)
            made = response(POLICY, [(policy(BAD, name="unasked"), "1")], nonce="unasked-%d" % n)
            self.assertEqual(self.tell(stream, made).error, "")
        self.assertEqual((self.said("a type that was not asked for"), self.said("resources that were not asked for")),
                         (1, 1))
        self.assertEqual((self.row("unasked"), self.status(self.web)), ({}, 200))


class Protocol(Scripted):
    def test_X05_nonces_are_repeated_and_mean_nothing(self):
        stream = self.begin()
        for nonce in ("0", "", "p1", "\u00e9 / *", "0", "x" * 4096):
            stream.send(response(POLICY, [(policy(deny("d" + nonce[:1], ["x.test"]), allow()), "2")], nonce=nonce))
            self.assertEqual(stream.await_request().response_nonce, nonce)
        stream.end()
        first = self.server.await_stream().await_request()
        self.assertEqual(first.response_nonce, "")

    def test_X06_a_new_stream_is_told_what_is_here_and_nothing_is_applied_anew(self):
        stream = self.begin()
        self.tell(stream, response(POLICY, [(policy(BAD), "bad")], nonce="bad"))  # received, though not in force
        before = self.applied()
        stream.end()
        again = self.server.await_stream()
        said = [again.await_request(), again.await_request()]
        self.assertEqual([r.HasField("node") for r in said], [True, False])
        self.assertEqual({r.type_url.rsplit(".", 1)[-1]: (list(r.resource_names_subscribe),
                                                          dict(r.initial_resource_versions)) for r in said},
                         {LISTENER: (["*"], {"egress": "1"}), POLICY: (["web"], {"web": "bad"})})
        self.tell(again, response(LISTENER, [(listener(), "1")], nonce="same"))
        self.assertEqual((self.applied(), self.status(self.web)), (before, 200))

    def test_X17_a_flap_ends_as_it_ended_and_leaves_nothing_behind(self):
        stream = self.begin()
        flaps = ((policy(), "a"), (policy(SHUT, allow()), "b"))

        def flap(times, mark):
            for n in range(times):
                stream.send(response(POLICY, [flaps[n % 2]], nonce="%s-%d" % (mark, n)))
            for n in range(times):
                self.assertEqual(read_answer(stream, "%s-%d" % (mark, n)).error, "")

        flap(200, "first")
        descriptors, resident, applied = self.egret.descriptors(), self.egret.resident_kib(), self.applied()
        flap(1000, "second")
        self.assertEqual(self.status(self.web), 403)
        self.assertGreater(self.applied(), applied)
        self.assertLessEqual(self.egret.descriptors(), descriptors + 4)  # what this test's own requests hold
        if not SANITIZED:
            self.assertLess(self.egret.resident_kib(), resident + 8192)

    def test_X18_a_version_that_goes_backwards_is_as_good_as_any(self):
        stream = self.begin()
        for version, rules, status in (("9", [SHUT], 403), ("3", [allow()], 200), ("", [SHUT], 403)):
            self.tell(stream, response(POLICY, [(policy(*rules), version)], nonce="v" + version))
            self.assertEqual((self.status(self.web), self.row("web").get("version_in_force", "")), (status, version))

    def test_X20_what_is_not_confirmed_in_time_goes_and_nothing_else(self):
        stream = self.begin()
        brief, beaten, freed = (listener(name) for name in ("brief", "beaten", "freed"))
        # As many as heartbeats and words without a TTL, and each before its time is over.
        self.tell(stream, response(LISTENER, [(beaten, "1"), (freed, "1")], nonce="lasting", ttl=600))
        self.tell(stream, response(LISTENER, [("beaten", "1"), (freed, "1")], nonce="soon", ttl=4))
        self.tell(stream, response(LISTENER, [("beaten", "1")], nonce="beat", ttl=600))
        self.tell(stream, response(LISTENER, [(freed, "1")], nonce="free"))
        self.tell(stream, response(LISTENER, [(brief, "1")], nonce="brief", ttl=5))
        self.assertEqual(set(self.egret.live_listeners()), {"egress", "beaten", "freed", "brief"})
        until(lambda: "brief" not in self.egret.live_listeners(), "it to be dropped")
        self.assertEqual(set(self.egret.live_listeners()), {"egress", "beaten", "freed"})

    def test_X23_what_a_newer_schema_has_is_refused_in_policies_always_and_elsewhere_by_default(self):
        for accepts in (False, True):
            with self.subTest(accepts=accepts):
                stream = self.begin(**({"xds": {"unknown_fields": "ACCEPT_OUTSIDE_POLICY"}} if accepts else {}))
                narrowed = response(POLICY, [(policy(), "2")], nonce="p2")
                narrowed.resources[0].resource.value += UNKNOWN
                answer = self.tell(stream, narrowed)
                self.assertEqual([r.name for r in answer.rejections], ["web"])
                self.assertIn("does not know", answer.error)
                wider = response(LISTENER, [(listener("second"), "1")], nonce="l2")
                wider.resources[0].resource.value += UNKNOWN
                answer = self.tell(stream, wider)
                self.assertEqual(("second" in self.egret.live_listeners(), bool(answer.error)), (accepts, not accepts))
                self.assertEqual(self.egret.metric("egret_xds_unknown_fields_total"), 1 if accepts else 0)
                self.assertEqual(self.status(self.web), 200)
                self.egret.stop()


class Connections(PushCase):
    def test_X08_a_server_that_is_gone_is_tried_less_and_less_often(self):
        ads, origin = self.serve()
        ads.stop()
        until(lambda: self.egret.metric("egret_xds_connected") == 0, "the end to be noticed")
        began, before = time.monotonic(), self.egret.metric("egret_xds_attempts_total")
        until(lambda: self.egret.metric("egret_xds_attempts_total") >= before + 3, "three attempts")
        self.assertGreater(time.monotonic() - began, 2.9)  # at least half of 1, 2 and 4 s, but for what was noticed late
        self.assert_ok(self.client().get(self.url(origin)))

    def test_X09_a_connection_that_died_unsaid_is_found(self):
        """By the proxy's own sign of life: 30 s, and 10 s to answer."""
        ads = self.ads((policy(), "1"), (listener(), "1"))
        wire = Wire(ads.port)
        self.addCleanup(wire.close)
        self.start_pushed(wire)
        wire.cut_unsaid()
        ads.put((policy(SHUT, allow()), "2"))
        until(lambda: self.egret.metric("egret_xds_streams_total") == 2, "a second stream", PATIENCE * 2,
              alive=self.egret.assert_running)
        self.await_version("web", "2")

    def test_X10_a_response_that_comes_by_the_byte_is_taken(self):
        ads = self.ads((policy(), "1"), (listener(), "1"))
        wire = Wire(ads.port, drip=1)
        self.addCleanup(wire.close)
        self.start_pushed(wire)
        self.assert_ok(self.client().get(self.url(self.origin())))

    def test_X10_one_that_is_too_large_is_said_to_be(self):
        ads = self.ads((policy(), "1"), (listener(), "1"))
        self.start_pushed(ads, xds={"max_message_bytes": 1 << 20})
        origin = self.origin()
        names = ["n%d.example" % i for i in range(100_000)]
        ads.put((resource("DomainSet", {"name": "large", "domains": names}), "1"))
        ads.put((policy(deny("listed", None, to={"domain_sets": ["large"]}), allow()), "2"))
        until(lambda: "raise xds.max_message_bytes" in self.pushed().get("last_error", ""), lambda: self.pushed())
        self.assert_ok(self.client().get(self.url(origin)))
        ads.put((resource("DomainSet", {"name": "large", "domains": ["origin.test"]}), "2"))
        self.await_status(origin, 403)

    def test_X24_each_way_to_be_turned_away_is_told_once(self):
        ads, origin = self.serve()
        codes = (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.RESOURCE_EXHAUSTED)
        ads.refusal = (codes[0], "who are you")
        ads.end_streams()
        for code in codes:
            ads.refusal = (code, "not you")
            until(lambda: code.name in self.pushed().get("last_error", ""), lambda: self.pushed(), PATIENCE)
        self.assert_ok(self.client().get(self.url(origin)))
        ads.refusal = None
        ads.put((policy(SHUT, allow()), "2"))
        until(lambda: self.egret.metric("egret_xds_connected") == 1, "the next stream", PATIENCE)
        self.await_status(origin, 403)
        for code in codes:
            self.assertEqual(self.egret.stderr().count(code.name), 1, self.egret.stderr())

    def test_X24_a_server_that_says_goaway_is_come_back_to(self):
        ads, origin = self.serve()
        state = ads.state
        ads.server.stop(0).wait()
        ads = self.ads(port=ads.port)
        ads.state = state
        ads.put((policy(SHUT, allow()), "2"))
        self.await_status(origin, 403)


if __name__ == "__main__":
    unittest.main()
