"""What is told of tunnels that are inspected: how leaves were come by, and how long it took."""
from mitm_case import MitmCase


class Told(MitmCase):
    def leaves(self):
        return {result: self.egret.metric("egret_leaves_total", result=result)
                for result in ("cached", "minted", "waited", "failed")}

    def test_leaves_are_counted_by_how_they_were_come_by(self):
        self.start_mitm(hosts={name: ["127.0.0.1"] for name in ("origin.test", "a.more.test")})
        origin = self.tls_origin()
        for name in ("origin.test", "a.more.test", "origin.test"):
            self.assert_ok(self.get_inside(self.inside(origin, name=name), origin, name=name))
        self.assertEqual(self.leaves(), {"cached": 1, "minted": 2, "waited": 0, "failed": 0})
        self.assertEqual(self.egret.metric("egret_leaves_cached"), 2)

    def test_the_time_that_inspection_took_is_told(self):
        for how in ("EAGER", "LAZY"):
            with self.subTest(how):
                self.start_mitm(origin=how)
                origin = self.tls_origin()
                client = self.inside(origin)
                self.assert_ok(self.get_inside(client, origin))
                client.close()
                took = self.egret.one_line(kind="tunnel")["inspect_ms"]
                series = self.egret.metrics()
                self.assertEqual(series["egret_inspect_duration_seconds_count"], 1)
                self.assertAlmostEqual(series["egret_inspect_duration_seconds_sum"], took / 1000)

    def test_no_time_is_told_of_a_tunnel_that_was_not_decrypted(self):
        self.start_mitm()
        plain = self.origin()
        client = self.tunnel(plain)
        self.assert_ok(self.get_inside(client, plain))
        client.close()
        self.assertNotIn("inspect_ms", self.egret.one_line(kind="tunnel"))
        self.assertEqual(self.egret.metrics()["egret_inspect_duration_seconds_count"], 0)
