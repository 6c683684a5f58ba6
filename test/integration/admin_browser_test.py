"""What pages of others do to the admin interface in a real browser (row S08)."""
import re
import shutil
import subprocess
import unittest

from harness import SANITIZED, ProxyCase
from origins import reply
from waiting import SECONDS

BROWSERS = ("chromium-headless-shell", "chromium")
# Everything that a page can send without asking first: forms, simple requests, images, frames.
EVIL = """<html><head><title>none</title></head><body>
<form id=f method=post action="%(admin)s/quitquitquit" target=frame></form><iframe name=frame></iframe>
<img src="%(admin)s/quitquitquit"><iframe src="%(admin)s/config_dump"></iframe>
<script>
document.getElementById('f').submit();
const post = path => fetch('%(admin)s' + path, {method: 'POST', mode: 'no-cors'}).catch(() => 0);
const read = path => fetch('%(admin)s' + path).then(r => r.text()).catch(() => '');
Promise.all([post('/quitquitquit'), post('/drain_listeners'), post('/healthcheck/fail'), post('/logging?level=debug'),
             read('/config_dump'), read('/server_info')])
  .then(all => { document.title = 'read ' + all.filter(text => typeof text == 'string').join('').length; });
</script></body></html>"""


@unittest.skipIf(SANITIZED, "what a browser does is tested without sanitizers")
class Browser(ProxyCase):
    def setUp(self):
        self.browser = next(filter(None, map(shutil.which, BROWSERS)), None)
        if self.browser is None:
            self.skipTest("no chromium (tools/install interop)")
        self.start()

    def browse(self, url):
        run = subprocess.run(
            [self.browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--no-proxy-server",
             "--host-resolver-rules=MAP evil.test 127.0.0.1", "--user-data-dir=" + self.egret.path("profile"),
             "--virtual-time-budget=5000", "--dump-dom", url],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=6 * SECONDS)
        return run.stdout.decode(errors="replace")

    def assert_as_before(self):
        self.assertEqual(self.egret.get("/ready"), (200, "LIVE\n"))
        self.assertNotIn("debug", self.egret.get("/logging")[1])

    def test_S08_another_sites_page_changes_nothing_and_reads_nothing(self):
        self.assertEqual(self.title_of(EVIL, self.egret.admin[1]), "read 0")
        self.assert_as_before()
        careless = self.origin()  # that the browser does send all of it
        self.title_of(EVIL, careless.port)
        sent = {request.start_line for request in careless.requests}
        self.assertLessEqual({"%s HTTP/1.1" % one for one in (
            "POST /quitquitquit", "GET /quitquitquit", "POST /drain_listeners", "POST /healthcheck/fail",
            "POST /logging?level=debug", "GET /config_dump", "GET /server_info")}, sent)

    def title_of(self, page, port):
        """Of a page on another site that is about what listens on this port."""
        page = page % {"admin": "http://127.0.0.1:%d" % port}
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        site = self.origin(reply((head % len(page) + page).encode()))
        return re.search("<title>(.*)</title>", self.browse("http://evil.test:%d/" % site.port)).group(1)

    def test_S08_a_name_that_was_turned_here_reads_nothing(self):
        for path in ("/", "/config_dump"):
            shown = self.browse("http://evil.test:%d%s" % (self.egret.admin[1], path))
            self.assertIn("Host must be an address or localhost.", shown)
        self.assertIn("/config_dump", self.browse("http://localhost:%d/" % self.egret.admin[1]))  # one's own
