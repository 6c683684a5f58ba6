"""egret-control on the wire, asked by a client that does what no proxy of ours does: rows X05 and X21 of the catalogue."""
import json
import os
import queue
import subprocess
import unittest

import grpc

from control_case import StatusCase
from control_plane import Control, Library, listener
from fake_ads import METHOD, PATIENCE, Request, Response, message, url
from harness import allow
from waiting import SECONDS, until

POLICY = "EgressPolicy"
Report, Command = message("egret.control.v1.Report"), message("egret.control.v1.Command")


class Conversation:
    """One stream of discovery, as the node p1 of the group web."""

    def __init__(self, address):
        self.channel, self.outbox = grpc.insecure_channel(address), queue.Queue()
        call = self.channel.stream_stream("/envoy.service.discovery.v3.AggregatedDiscoveryService/" + METHOD,
                                          request_serializer=Request.SerializeToString,
                                          response_deserializer=Response.FromString)
        self.responses = call(iter(self.outbox.get, None), timeout=PATIENCE)
        self.begun = False

    def say(self, kind, more=(), less=(), nonce="", held=None):
        request = Request(type_url=url(kind), resource_names_subscribe=more, resource_names_unsubscribe=less,
                          response_nonce=nonce, initial_resource_versions=held or {})
        if not self.begun:
            request.node.id, request.node.cluster = "p1", "web"
        self.begun = True
        self.outbox.put(request)

    def hear(self, answer=True):
        """(names that came, names that went, the response), and it is acknowledged."""
        response = next(self.responses)
        if answer:
            self.say(response.type_url.rsplit(".", 1)[-1], nonce=response.nonce)
        return [r.name for r in response.resources], list(response.removed_resources), response

    def close(self):
        self.outbox.put(None)
        self.channel.close()


class ControlWire(unittest.TestCase):
    def setUp(self):
        self.library = Library()
        self.addCleanup(self.library.delete)
        self.edit("a", "b")
        self.control = Control(self.library)
        self.addCleanup(self.control.end)

    def edit(self, *names, rule="r"):
        self.library.put("web", listeners=[listener(policies=["a"])],
                         policies=[{"name": n, "rules": [allow(rule + n)]} for n in names])

    def talk(self):
        talk = Conversation(self.control.address)
        self.addCleanup(talk.close)
        return talk

    def publish(self, *names, rule):
        """Edits, and waits until somebody else was sent it."""
        watcher = self.talk()
        watcher.say(POLICY, more=["*"])
        watcher.hear()
        self.edit(*names, rule=rule)
        self.assert_next(watcher, names)

    def assert_next(self, talk, came, went=()):
        heard = talk.hear()
        self.assertEqual((sorted(heard[0]), sorted(heard[1])), (sorted(came), sorted(went)))
        return heard[2]

    def test_X21_from_all_to_some_to_none(self):
        talk = self.talk()
        talk.say(POLICY, more=["*"])
        self.assert_next(talk, ["a", "b"])
        talk.say(POLICY, more=["a"])  # asked for anew: sent again
        self.assert_next(talk, ["a"])
        talk.say(POLICY, less=["*"])
        self.publish("a", "b", rule="second-")
        self.assert_next(talk, ["a"])
        talk.say(POLICY, less=["a"])
        self.publish("a", "b", rule="third-")
        talk.say("Listener", more=["*"])  # the first that there is to say
        self.assertEqual(self.assert_next(talk, ["egress"]).type_url, url("Listener"))
        talk.say(POLICY, more=["b"])
        self.assert_next(talk, ["b"])

    def test_X21_a_name_that_is_left_within_all_is_answered(self):
        talk = self.talk()
        talk.say(POLICY, more=["*", "a", "gone"])
        self.assert_next(talk, ["a", "b"], ["gone"])
        talk.say(POLICY, less=["a", "gone"])
        self.assert_next(talk, ["a"], ["gone"])

    def test_X21_who_names_nothing_at_first_wants_all_and_later_nothing(self):
        talk = self.talk()
        talk.say(POLICY)
        self.assert_next(talk, ["a", "b"])
        other = self.talk()
        other.say(POLICY, more=["a"])
        self.assert_next(other, ["a"])
        other.say(POLICY)  # not the first any more
        other.say("Listener", more=["*"])
        self.assert_next(other, ["egress"])

    def test_X05_what_is_said_with_a_foreign_nonce_counts_but_answers_nothing(self):
        talk = self.talk()
        talk.say(POLICY, more=["a"])
        came, _, first = talk.hear(answer=False)
        self.assertEqual(came, ["a"])
        talk.say(POLICY, more=["b"], nonce="of another stream")
        self.publish("a", "b", rule="second-")
        talk.say("Listener", more=["*"])
        self.assert_next(talk, ["egress"])  # nothing of a type whose response is not answered
        talk.say(POLICY, nonce=first.nonce)
        self.assertIn("b", talk.hear()[0])

    def test_X06_who_comes_back_is_sent_what_changed(self):
        talk = self.talk()
        talk.say(POLICY, more=["a", "b"])
        versions = {r.name: r.version for r in talk.hear()[2].resources}
        again = self.talk()
        again.say(POLICY, more=["a", "b", "c"], held={**versions, "a": "older"})
        self.assert_next(again, ["a"], ["c"])


class FleetWire(StatusCase):
    """What a proxy reports that is none of ours."""

    def setUp(self):
        super().setUp()
        self.serve()
        talk = Conversation(self.plane.address)
        self.addCleanup(talk.close)
        talk.say("Listener", more=["*"])
        until(lambda: talk.hear(), "an answer")
        self.reports = queue.Queue()
        call = talk.channel.stream_stream("/egret.control.v1.Fleet/Connect",
                                          request_serializer=Report.SerializeToString,
                                          response_deserializer=Command.FromString)
        self.commands = call(iter(self.reports.get, None), timeout=PATIENCE)
        self.addCleanup(self.reports.put, None)
        first = Report()
        first.node.id, first.node.cluster = "p1", "web"
        self.reports.put(first)

    def test_of_what_is_too_long_the_beginning_is_kept(self):
        report = Report()
        report.counts.add(policy="\u00fc" * 10000, rule="r", allowed=1)
        trouble = report.resources.add(type_url=url(POLICY), name="n" * 10000, state=2)
        for _ in range(1000):
            trouble.errors.add(type_url=url(POLICY), name="n" * 10000, reason="x" * 10000)
        self.reports.put(report)

        def told():
            status = json.loads(self.egretctl("--output", "json")[1])
            return status["groups"][0].get("counts") and status
        status = until(told, "the report")
        self.assertEqual(status["groups"][0]["counts"][0]["policy"], "\u00fc" * 500)
        rejections = status["proxies"][0]["rejections"]
        self.assertEqual({(r["name"], r["reason"]) for r in rejections}, {("n" * 1000, "x" * 1000)})
        self.assertEqual(len(rejections), 50)

    def test_no_line_passes_for_that_of_another_proxy(self):
        run = subprocess.Popen([os.environ["EGRETCTL"], "tail", "--group", "web", "--control", self.plane.operators,
                                "--output", "json", "--lines", "1"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(run.kill)
        report = Report()
        order = next(self.commands).tail.id
        for line in ('{"proxy":"p2","event":"decision"}', '{"event":"decision"\n,"x":{"proxy":"p2"}}',
                     '{"event":"decision","target":"a.test:443"}'):
            report.lines.add(id=order, line=line)
        self.reports.put(report)
        out, _ = run.communicate(timeout=SECONDS * 3)
        self.assertEqual(out, '{"proxy":"p1","event":"decision","target":"a.test:443"}\n')


if __name__ == "__main__":
    unittest.main()
