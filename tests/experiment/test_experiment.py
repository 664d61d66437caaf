#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The experiment's own parts: statistics, plan, results, tables."""

import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True

import report  # noqa: E402
from arena import Ledger  # noqa: E402
from lab import wait_until  # noqa: E402
from plan import Plan, count  # noqa: E402
from race import FORK, Race  # noqa: E402
from results import Results, read  # noqa: E402
from wilson import interval  # noqa: E402


class Wilson(unittest.TestCase):
    def test_is_as_published(self):
        """Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29."""
        for successes, trials, low, high in (81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), \
                (1, 29, 0.0061, 0.1718):
            found = interval(successes / trials, trials)
            self.assertAlmostEqual(found[0], low, 4)
            self.assertAlmostEqual(found[1], high, 4)

    def test_says_nothing_without_trials(self):
        self.assertEqual(interval(0.5, 0), (0.0, 1.0))


class Plans(unittest.TestCase):
    def test_each_cell_gets_its_restarts(self):
        for name in 'full', 'quick', 'short':
            plan = Plan(name)
            rounds = Counter()
            for block, numbers in plan.visits(Counter()):
                rounds[block] += len(numbers)
            self.assertEqual(rounds, {block: block.restarts for block in plan.blocks})

    def test_the_full_one_has_what_was_promised(self):
        cells = Plan('full').cells()
        self.assertEqual(len(cells), 75)
        self.assertGreaterEqual(min(cells.values()), 500)

    def test_goes_on_where_a_run_was_cut_off(self):
        plan = Plan('short')
        block = plan.blocks[0]
        rows = [dict(arm=arm, guests=str(block.guests), delay_ms=str(block.delay_ms)) for arm in ('a', 'b', 'd', 'a')]
        self.assertEqual(list(plan.visits(count(rows))), [(block, range(1, 3)), (block, range(3, 4))])


class Visited(Race):
    """Without daemons. With `fails`, that visit fails, and those before it are under way until they are stopped."""

    def __init__(self, directory, fails=None):
        super().__init__(None, Path(directory), 1, 'quick', False, jobs=3)
        self.fails = fails
        self.said = FORK.SimpleQueue()

    def visit(self, block, rounds):
        turn = list(self.plan.visits(Counter())).index((block, rounds))
        self.said.put(f'began {turn}')
        if turn == self.fails:
            self.problems.put('no daemon')
            sys.exit(1)
        if self.fails:
            wait_until(self.stopping.is_set, 'the others to be stopped', 5)
            self.said.put(f'stopped {turn}')

    def all_said(self):
        said = []
        while not self.said.empty():
            said.append(self.said.get())
        return sorted(said)


class Jobs(unittest.TestCase):
    def test_each_visit_is_made_once(self):
        with tempfile.TemporaryDirectory() as directory:
            race = Visited(directory)
            self.assertEqual(race.run(), 0)
            self.assertEqual(race.all_said(), [f'began {turn}' for turn in range(4)])

    def test_where_one_fails_the_others_stop(self):
        with tempfile.TemporaryDirectory() as directory:
            race = Visited(directory, fails=2)
            with self.assertRaisesRegex(RuntimeError, 'no daemon'):
                race.run()
            self.assertEqual(race.all_said(), ['began 0', 'began 1', 'began 2', 'stopped 0', 'stopped 1'])


class Rows(unittest.TestCase):
    def test_a_row_that_was_cut_off_is_left_out(self):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / 'rows.csv'
            results = Results(path, ['x', 'y'], False)
            results.add(x=1, y=2)
            results.close()
            with open(path, 'a') as file:
                file.write('3')
            self.assertEqual(read(path), [{'x': '1', 'y': '2'}])
            results = Results(path, ['x', 'y'], True)
            results.add(x=4, y=5)
            results.close()
            self.assertEqual([row['x'] for row in read(path)], ['1', '4'])


class Requests(unittest.TestCase):
    def test_one_that_was_not_acknowledged_may_be_either(self):
        ledger = Ledger(None)
        ledger.note('start', 'guest/a', True)
        self.assertIs(ledger.active['guest/a'], True)
        ledger.note('start', 'guest/a', False)
        self.assertIs(ledger.active['guest/a'], True)
        ledger.note('stop', 'guest/a', False)
        self.assertIsNone(ledger.active['guest/a'])
        ledger.note('stop', 'guest/a', True)
        self.assertIs(ledger.active['guest/a'], False)


class Tables(unittest.TestCase):
    def rows(self, **lost):
        return [dict(arm=arm, guests='4', delay_ms='20', lost=str(number), gone=str(number), other='0', halted='0', still='0',
                     missing_before='0', silent_pools='0', load='1.0') for arm, numbers in lost.items() for number in numbers]

    def test_what_was_not_run_is_named(self):
        text = '\n'.join(report.race_text(self.rows(a=[0] * 4, b=[4] * 4, d=[0, 4]), Plan('short').cells()))
        self.assertIn('**Arm (a): 0 guests lost** of 16, in 4 restarts', text)
        self.assertIn('| (c) | not run |', text)
        self.assertIn('1 of 3 cells have 2 to 2 restarts, 4 are planned', text)
        self.assertIn('| (b) | 4 of 4: 100 % (51 to 100) |', text)

    def test_what_is_no_different_is_named(self):
        cells = report.tally(self.rows(a=[0] * 20, b=[4] * 20, d=[0] * 19 + [1]))
        self.assertEqual(report.same_as_a(cells), ['(d) 4 guests 20 ms: 1 of 20 against 0 of 20'])


class Page(unittest.TestCase):
    def test_is_made_from_its_rows(self):
        docs = Path(__file__).resolve().parents[2] / 'docs'
        with tempfile.TemporaryDirectory() as directory:
            copy = Path(directory) / 'experiment.md'
            copy.write_text((docs / 'experiment.md').read_text())
            report.make_report(docs / 'experiment', page=copy)
            self.assertEqual(copy.read_text(), (docs / 'experiment.md').read_text())


if __name__ == '__main__':
    unittest.main()
