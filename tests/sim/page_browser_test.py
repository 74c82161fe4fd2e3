#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The page of a run as a person opens it: from the disk, in Chromium, at 1280x800.

Screenshots of every page go to the test's outputs.
"""

import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

RUNFILES = os.path.join(os.environ["TEST_SRCDIR"], os.environ["TEST_WORKSPACE"])
sys.path.insert(0, os.path.join(RUNFILES, "tests/sim"))

from chromium import Chromium, Tab  # noqa: E402

WIDTH, HEIGHT = 1280, 800


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.files = {}
        for kind in ("large", "accused", "lease", "hostile"):
            cls.files[kind] = os.path.join(cls.folder.name, f"{kind}.html")
            subprocess.run([os.path.join(RUNFILES, "tests/sim/sample_page"), kind, cls.files[kind]],
                           check=True)
        cls.files["passed"] = os.path.join(cls.folder.name, "passed.html")
        subprocess.run([os.path.join(RUNFILES, "sim/sim"), "--seed=42",
                        f"--html={cls.files['passed']}"], check=True, stdout=subprocess.DEVNULL)
        cls.browser = Chromium(WIDTH, HEIGHT)

    @classmethod
    def tearDownClass(cls):
        cls.browser.__exit__()
        cls.folder.cleanup()

    def open(self, kind, dark=False):
        tab = Tab(self.browser, pathlib.Path(self.files[kind]).as_uri(), dark)
        tab.call("Emulation.setDeviceMetricsOverride", width=WIDTH, height=HEIGHT,
                 deviceScaleFactor=1, mobile=False)
        tab.settle()

        def finish():
            outputs = os.environ.get("TEST_UNDECLARED_OUTPUTS_DIR")
            if outputs:
                name = f"{self.id().rsplit('.', 1)[1]}-{kind}{'-dark' if dark else ''}.png"
                with open(os.path.join(outputs, name), "wb") as file:
                    file.write(base64.b64decode(tab.screenshot()))
            problems = tab.problems()
            tab.close()
            self.assertEqual(problems, [])

        self.addCleanup(finish)
        return tab

    def window(self, tab):
        """The times in view, in nanoseconds."""
        data = json.loads(tab.evaluate("JSON.stringify(document.getElementById('plot').dataset)"))
        return float(data["from"]), float(data["until"])

    def box(self, tab, selector):
        """[left, top, right, bottom] in the viewport; None when it is not shown."""
        return tab.evaluate(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
            "const r = e.getBoundingClientRect(); "
            "return e.hidden || r.width === 0 ? null : [r.left, r.top, r.right, r.bottom]; })()")

    def assert_in_viewport(self, tab, selector):
        box = self.box(tab, selector)
        self.assertIsNotNone(box, f"{selector} is not shown")
        left, top, right, bottom = box
        self.assertTrue(0 <= left and right <= WIDTH and 0 <= top and bottom <= HEIGHT, box)
        hit = tab.evaluate(
            f"document.elementsFromPoint({(left + right) / 2}, {(top + bottom) / 2})"
            f".some((e) => e.closest('#plot') !== null) || {json.dumps(selector)} !== '#flag'")
        self.assertTrue(hit, f"{selector} is covered")

    def test_one_key_shows_the_violation_from_anywhere(self):
        for kind in ("large", "accused"):
            with self.subTest(kind):
                tab = self.open(kind)
                for _ in range(8):
                    tab.press("+")
                tab.press("Home")
                self.assertIsNone(self.box(tab, "#flag"), "the violation is in view already")
                tab.press("v")
                self.assert_in_viewport(tab, "#flag")
                begin, end = self.window(tab)
                for at in tab.evaluate("run.accused.flatMap((op) => [op.from, op.until])"):
                    self.assertTrue(begin < at < end, f"{at} is not in {begin}..{end}")
                self.assertTrue(begin < tab.evaluate("run.failure.at") < end)
                sentence = tab.evaluate("run.failure.sentence")
                self.assertIn(sentence, tab.evaluate("document.getElementById('details').innerText"))
                # Again: one operation after the other.
                tab.press("v")
                self.assertEqual(tab.evaluate("view.selected === run.accused[0]"), True)

    def test_the_button_does_what_the_key_does(self):
        tab = self.open("large")
        left, top, right, bottom = self.box(tab, "#violation")
        tab.click((left + right) / 2, (top + bottom) / 2)
        self.assert_in_viewport(tab, "#flag")
        self.assertEqual(tab.evaluate("view.selected.type"), "violation")

    def test_seven_nodes_and_5000_messages_fit_at_1280x800(self):
        for dark in (False, True):
            with self.subTest(dark=dark):
                tab = self.open("large", dark)
                sizes = tab.evaluate(
                    "[run.nodes, run.messages.length, document.documentElement.scrollWidth,"
                    " document.documentElement.scrollHeight]")
                self.assertEqual(sizes, [7, 5000, WIDTH, HEIGHT])
                for selector in ("#sentence", "#replay-line", "#violation", "#lanes", "#legend",
                                 "#shown", "#details", "#event-list"):
                    self.assert_in_viewport(tab, selector)
                # No lane is beyond the edge of the plot.
                rest = tab.evaluate("document.getElementById('plot').scrollHeight"
                                    " - document.getElementById('plot').clientHeight")
                self.assertLessEqual(rest, 0)
                self.assertGreaterEqual(tab.evaluate("place.lane"), 44)
                # Text stands out against what it is on.
                for selector in ("#sentence", "#facts", "#legend", "#shown", "#violation",
                                 "#badge", "#event-list .rest", "th"):
                    self.assertGreaterEqual(self.contrast(tab, selector), 4.5, selector)

    def contrast(self, tab, selector):
        """As WCAG 2 defines it, of an element's text and the nearest background."""
        colors = tab.evaluate(
            f"(() => {{ let e = document.querySelector({json.dumps(selector)});"
            " const text = getComputedStyle(e).color; let ground;"
            " do { ground = getComputedStyle(e).backgroundColor; e = e.parentElement; }"
            " while (e && ground === 'rgba(0, 0, 0, 0)'); return [text, ground]; })()")
        def luminance(color):
            parts = [int(p) / 255 for p in color[color.index("(") + 1:-1].split(",")[:3]]
            r, g, b = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
            return 0.2126 * r + 0.7152 * g + 0.0722 * b
        bright, dim = sorted(map(luminance, colors), reverse=True)
        return (bright + 0.05) / (dim + 0.05)

    def test_when_messages_are_left_out_it_says_so_and_zooming_shows_all(self):
        tab = self.open("large")
        shown = "document.getElementById('shown').textContent"
        self.assertIn("one in 2 drawn", tab.evaluate(shown))
        for _ in range(4):
            tab.press("+")
        self.assertNotIn("drawn", tab.evaluate(shown))
        self.assertEqual(tab.evaluate("+document.getElementById('plot').dataset.drawn"),
                         tab.evaluate("messagesInView().length"))
        tab.press("f")
        self.assertIn("5,000 messages", tab.evaluate(shown))

    def test_a_click_on_an_arrow_tells_its_message(self):
        tab = self.open("large")
        for _ in range(10):
            tab.press("+")
        message, x, y = tab.evaluate(
            "(() => { const area = lanes.getBoundingClientRect();"
            " for (const m of messagesInView()) { if (m.fate !== ARRIVED) continue;"
            "  const l = lineOf(m);"
            "  for (const share of [0.3, 0.4, 0.5, 0.6, 0.7]) {"
            "   const x = l.x1 + (l.x2 - l.x1) * share, y = l.y1 + (l.y2 - l.y1) * share;"
            "   if (thingAt(x, y) === m) return [m.text, area.left + x, area.top + y]; } }"
            " })()")
        tab.click(x, y)
        self.assertEqual(tab.evaluate("view.selected.text"), message)
        details = tab.evaluate("document.getElementById('details').innerText")
        self.assertIn(message, details)
        tab.press("Escape")
        self.assertIsNone(tab.evaluate("view.selected"))

    def test_next_and_previous_walk_through_the_events(self):
        tab = self.open("passed")
        seen = []
        for _ in range(12):
            tab.press("n")
            begin, end = self.window(tab)
            at = tab.evaluate("view.selected.at")
            self.assertTrue(begin <= at <= end)
            seen.append(at)
            self.assertEqual(tab.evaluate("document.querySelectorAll('[aria-current]').length"), 1)
        self.assertEqual(seen, sorted(seen))
        tab.press("p")
        self.assertEqual(tab.evaluate("view.selected.at"), seen[-2])

    def test_every_event_is_a_button_with_text(self):
        tab = self.open("passed")
        count = tab.evaluate("document.querySelectorAll('#event-list button').length")
        self.assertGreater(count, 20)
        self.assertEqual(count, tab.evaluate("run.events.length"))
        tab.evaluate("document.querySelectorAll('#event-list button')[15].click()")
        self.assertTrue(tab.evaluate("view.selected === run.events[15]"))

    def test_faults_of_a_moment_are_listed_unless_they_are_too_many(self):
        tab = self.open("large")
        texts = tab.evaluate("run.events.filter((e) => e.kind === 'fault').map((e) => e.text)")
        lost = tab.evaluate("run.chances.filter((c) => c.kind === 'lose-message').length")
        self.assertGreater(lost, 100)
        self.assertEqual([t for t in texts if t.startswith("retry")],
                         ["retry at seat 1", "retry at seat 2", "retry at seat 3"])
        loss, = (t for t in texts if t.startswith("lose-message"))
        self.assertRegex(loss, rf"^lose-message at (store|seat) \d, and {lost - 1} more$")
        shown = tab.evaluate("document.getElementById('event-list').innerText")
        self.assertIn("retry at seat 2", shown)

    def test_promises_of_a_broken_lease_are_bands_in_view(self):
        tab = self.open("lease")
        tab.press("v")
        begin, end = self.window(tab)
        self.assertEqual(tab.evaluate("run.promises.length"), 2)
        for promise in tab.evaluate("run.promises"):
            self.assertTrue(begin < promise["from"] < promise["until"] < end)
        # On the lane of who promised the ground has another colour than before the promise, and
        # than on the lane of the leader, who promised nobody.
        tab.evaluate("toggleMessages()")
        tab.settle()
        colors = tab.evaluate(
            "(() => { const { data, width } = lanes.getContext('2d')"
            "  .getImageData(0, 0, lanes.width, lanes.height);"
            " const at = (t, node) => { const i = 4 * (Math.round(laneTop(node) + 3) * width"
            "  + Math.round(xOf(t))); return data.slice(i, i + 4).join(); };"
            " return run.promises.map((p) => [at((p.from + p.until) / 2, p.node),"
            "  at((p.from + view.from) / 2, p.node), at((p.from + p.until) / 2, 0)]); })()")
        for inside, before, leader in colors:
            self.assertNotEqual(inside, before)
            self.assertNotEqual(inside, leader)
        self.assertIn("promise", tab.evaluate("document.getElementById('legend').innerText"))

    def test_lanes_are_called_as_sentences_call_them(self):
        tab = self.open("lease")
        self.assertEqual(tab.evaluate("[nameOf(0), nameOf(2), nameOf(3)]"),
                         ["store 1", "store 3", "seat 1"])
        table = tab.evaluate("document.querySelector('#cluster').innerText")
        self.assertRegex(table, r"(?s)^[^0-9]*store.*\n2\s")

    def test_a_run_that_passed_has_no_violation(self):
        tab = self.open("passed")
        self.assertEqual(tab.evaluate("document.getElementById('badge').innerText"), "passed")
        before = self.window(tab)
        tab.press("v")
        self.assertEqual(self.window(tab), before)
        self.assertIn("no violation", tab.evaluate("document.getElementById('shown').textContent"))
        self.assertIsNone(self.box(tab, "#flag"))

    def test_moving_and_zooming_keep_to_the_run(self):
        tab = self.open("accused")
        whole = self.window(tab)
        tab.press("-")
        tab.press("ArrowLeft")
        self.assertEqual(self.window(tab), whole)
        left, top, right, bottom = self.box(tab, "#lanes")
        x, y = (left + right) / 2, (top + bottom) / 2
        under = tab.evaluate(f"timeAt({x - left})")
        tab.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-600)
        tab.settle()
        begin, end = self.window(tab)
        self.assertLess(end - begin, 0.6 * (whole[1] - whole[0]))
        # What was under the pointer still is.
        self.assertAlmostEqual(tab.evaluate(f"timeAt({x - left})") / under, 1, places=6)
        # Dragging takes it along.
        tab.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        tab.mouse("mouseMoved", x - 100, y, button="left", buttons=1)
        tab.mouse("mouseReleased", x - 100, y, button="left", clickCount=1)
        tab.settle()
        self.assertAlmostEqual(tab.evaluate(f"timeAt({x - left - 100})") / under, 1, places=6)
        for _ in range(60):
            tab.press("+")
        begin, end = self.window(tab)
        self.assertAlmostEqual(end - begin, 20e3, delta=1)

    def test_messages_can_be_hidden_by_kind(self):
        tab = self.open("large")
        for _ in range(4):
            tab.press("+")
        drawn = "+document.getElementById('plot').dataset.drawn"
        before = tab.evaluate(drawn)
        tab.evaluate("document.querySelector('#kinds button').click()")
        tab.settle()
        self.assertTrue(0 < tab.evaluate(drawn) < before)
        tab.press("m")
        self.assertEqual(tab.evaluate(drawn), 0)

    def test_texts_of_a_run_are_only_texts(self):
        tab = self.open("hostile")
        for key in "vvnnp":
            tab.press(key)
        self.assertEqual(tab.evaluate("document.images.length"), 0)
        self.assertEqual(tab.evaluate("document.scripts.length"), 2)
        self.assertIn("</script>", tab.evaluate("document.title"))
        self.assertIn("<img", tab.evaluate("document.getElementById('sentence').textContent"))

    def test_help_opens_and_closes(self):
        tab = self.open("passed")
        tab.press("?")
        self.assertTrue(tab.evaluate("document.getElementById('help').open"))
        tab.press("n")
        self.assertIsNone(tab.evaluate("view.selected"))
        tab.press("Escape")
        self.assertFalse(tab.evaluate("document.getElementById('help').open"))


if __name__ == "__main__":
    sys.exit(unittest.main())
