#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A report's picture in a real browser: test_report_picture.py MUSTER REPORT_HOST [--screenshots DIRECTORY]

Exit status 77: there is no Chromium, and nothing was tested.
"""
import os
import subprocess
import sys
import tempfile
import unittest

import browser
import outcome

MUSTER = HOST = None
SIZES = (8, 300, 5000)
HEADS = '[...document.querySelectorAll(".fold>.head")]'


def draw(directory, story):
    """The picture of a story, or of so many resources."""
    report, picture = (os.path.join(directory, '%s.%s' % (story, ending)) for ending in ('json', 'svg'))
    with open(report, 'wb') as file:
        subprocess.run([HOST, str(story)], stdout=file, check=True, timeout=120)
    with open(picture, 'wb') as file:
        subprocess.run([MUSTER, 'report', '--format', 'svg', report], stdout=file, check=True, timeout=120)
    return picture


def click_head(page, number):
    x, y = page.evaluate('(r => [r.x + 60, r.y + r.height / 2])(%s[%d].getBoundingClientRect())' % (HEADS, number))
    page.click(x, y)


class Picture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.pictures = {story: draw(cls.directory.name, story) for story in (*SIZES, 'failing', 'running')}
        cls.page = browser.Browser()

    @classmethod
    def tearDownClass(cls):
        cls.page.close()
        cls.directory.cleanup()

    def setUp(self):
        self.page.problems.clear()

    def tearDown(self):
        self.assertEqual(self.page.problems, [])

    def number(self, selector):
        return self.page.evaluate('document.querySelectorAll(%r).length' % selector)

    def test_it_renders_folded(self):
        for size in SIZES:
            seconds = self.page.open(self.pictures[size])
            print('%d resources: loaded and painted after %.2f s' % (size, seconds))
            self.assertEqual(self.page.evaluate('document.documentElement.tagName'), 'svg')
            self.assertEqual(self.number('.driver'), 3)
            self.assertEqual(self.number('.row'), 0)
            self.assertGreater(self.number('.head rect[class^=p]'), 0)
            self.assertEqual(self.number('.mile'), 3)
            height = self.page.evaluate('document.documentElement.getBoundingClientRect().height')
            self.assertLess(height, 400)

    def test_a_click_unfolds_and_folds(self):
        for size in SIZES:
            self.page.open(self.pictures[size])
            resources = 0
            for number in range(2):
                before = self.page.evaluate('+document.documentElement.getAttribute("height")')
                rows = self.page.evaluate('+%s[%d].parentNode.dataset.n' % (HEADS, number))
                click_head(self.page, number)
                after = self.page.evaluate('+document.documentElement.getAttribute("height")')
                resources += rows
                self.assertEqual(self.number('.row'), resources)
                self.assertEqual(after - before, 18 * rows)
                shown = self.page.evaluate('getComputedStyle(%s[%d].parentNode.querySelector(".res")).display' % (HEADS, number))
                self.assertNotEqual(shown, 'none')
                click_head(self.page, number)
                self.assertEqual(self.page.evaluate('+document.documentElement.getAttribute("height")'), before)
                self.assertEqual(self.number('.open'), 0)
            self.assertEqual(resources, size)

    def test_rows_stand_below_each_other(self):
        self.page.open(self.pictures[300])
        click_head(self.page, 0)
        tops = self.page.evaluate('[...document.querySelectorAll(".open .row")].map(r => r.getBoundingClientRect().top)')
        self.assertEqual(tops, sorted(set(tops)))
        below = self.page.evaluate('%s[1].getBoundingClientRect().top' % HEADS)
        self.assertGreater(below, tops[-1])

    def test_a_failure_stands_in_its_place(self):
        self.page.open(self.pictures['failing'])
        self.assertGreater(self.number('.sum .bad'), 0)
        click_head(self.page, 0)
        texts = self.page.evaluate('[...document.querySelectorAll(".row .why")].map(t => t.firstChild.textContent)')
        self.assertEqual(texts, ['start: the server refused the connection'])
        titles = self.page.evaluate('[...document.querySelectorAll(".row rect title")].map(t => t.textContent)')
        self.assertTrue(any('storage/pool1 start (autostart)' in t and 'failed' in t for t in titles), titles)

    def test_what_runs_and_what_is_critical_is_marked(self):
        self.page.open(self.pictures['running'])
        click_head(self.page, 0)
        self.assertEqual(self.number('.row .out'), 1)
        self.assertGreater(self.number('.row .crit'), 0)

    def test_light_and_dark(self):
        self.page.open(self.pictures[8])
        papers = []
        for dark in (False, True):
            self.page.dark(dark)
            papers.append(self.page.evaluate('getComputedStyle(document.querySelector(".paper")).fill'))
        self.page.dark(False)
        self.assertEqual(papers, ['rgb(255, 255, 255)', 'rgb(20, 23, 28)'])


def take_screenshots(target):
    """What docs/ shows: at each size light and dark, the second driver unfolded."""
    page = browser.Browser(1240, 620)
    with tempfile.TemporaryDirectory() as directory:
        for size in SIZES:
            page.open(draw(directory, size))
            click_head(page, 0 if size == 8 else 1)
            for dark in (False, True):
                page.dark(dark)
                page.screenshot(os.path.join(target, 'report-%d%s.png' % (size, '-dark' if dark else '')))
            page.dark(False)
    page.close()


if __name__ == '__main__':
    if browser.find() is None:
        print('SKIPPED: there is no Chromium here (scripts/bootstrap installs it): no picture was looked at')
        sys.exit(77)
    MUSTER, HOST = sys.argv[1:3]
    if sys.argv[3:4] == ['--screenshots']:
        take_screenshots(sys.argv[4])
    else:
        outcome.main(sys.argv[:1] + sys.argv[3:])
