#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`muster plan` from outside: real graphs against an independent checker, bad input, wrong usage.

usage: test_plan_command.py MUSTER GRAPHS      GRAPHS: where the graphs of real programs are
"""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import outcome

MUSTER = GRAPHS = None


def run(*arguments, text='', **options):
    return subprocess.run([MUSTER, *arguments], input=text, capture_output=True, encoding='utf-8', timeout=120, **options)


def plan(drivers, *arguments):
    return run('plan', *arguments, '-', text=json.dumps({'drivers': drivers}))


def edges_of(drivers):
    """Who waits for whom by `needs`, names alone."""
    return {(driver['name'], name) for driver in drivers for name in driver.get('needs', [])}


def components(nodes, edges):
    """Those that reach each other, by plain reachability."""
    successors = {node: [b for a, b in edges if a == node] for node in nodes}

    def reach(start):
        seen, todo = set(), [start]
        while todo:
            for node in successors[todo.pop()]:
                if node not in seen:
                    seen.add(node)
                    todo.append(node)
        return seen

    reached = {node: reach(node) for node in nodes}
    return {frozenset(b for b in reached[a] if a in reached[b]) for a in nodes if a in reached[a]}


class Checked(unittest.TestCase):
    def check_order(self, drivers, result):
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, '')
        order = json.loads(result.stdout)['order']
        self.assertEqual(sorted(item['name'] for item in order), sorted(driver['name'] for driver in drivers))
        edges = edges_of(drivers)
        levels = {}
        for item in order:
            waits_for = {b for a, b in edges if a == item['name']}
            self.assertEqual(sorted(waits_for), sorted(item['waits_for']))
            self.assertTrue(waits_for <= levels.keys(), f'{item["name"]} comes too early')
            levels[item['name']] = 1 + max((levels[name] for name in waits_for), default=-1)
            self.assertEqual(item['level'], levels[item['name']])
        registered = {driver['name']: i for i, driver in enumerate(drivers)}
        keys = [(item['level'], registered[item['name']]) for item in order]
        self.assertEqual(keys, sorted(keys))

    def check_cycles(self, drivers, result, found_in):
        """Each component has one cycle, and each edge of it is true. Returns the cycles' lengths."""
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, '')
        edges = edges_of(drivers)
        expected = components([driver['name'] for driver in drivers], edges)
        lengths, found = [], set()
        for line in result.stderr.splitlines():
            self.assertTrue(line.startswith(found_in + ': dependency cycle: '), line)
            cycle = [edge.split(' needs ') for edge in line.split('dependency cycle: ')[1].split(', ')]
            for i, (a, b) in enumerate(cycle):
                self.assertIn((a, b), edges)
                self.assertEqual(b, cycle[(i + 1) % len(cycle)][0])
            component = next(c for c in expected if cycle[0][0] in c)
            self.assertTrue({a for a, _ in cycle} <= component)
            self.assertNotIn(component, found)
            found.add(component)
            lengths.append(len(cycle))
        self.assertEqual(found, expected)
        return lengths


class RealGraphs(Checked):
    def drivers(self, name):
        path = os.path.join(GRAPHS, name)
        with open(path + '.nodes', encoding='utf-8') as file:
            nodes = file.read().split()
        with open(path + '.edges', encoding='utf-8') as file:
            edges = [line.split() for line in file if line.strip()]
        nodes += sorted({node for edge in edges for node in edge} - set(nodes))
        return [{'name': node, 'needs': [b for a, b in edges if a == node]} for node in nodes]

    def test_they_come_in_order_on_the_levels_that_they_have(self):
        for name, levels in {'spdk': 5, 'grout': 5}.items():
            drivers = self.drivers(name)
            result = plan(drivers, '--format', 'json')
            with self.subTest(name):
                self.check_order(drivers, result)
                self.assertEqual(json.loads(result.stdout)['order'][-1]['level'], levels - 1)


class MadeGraphs(Checked):
    def test_each_of_eight_cycles_is_reported(self):
        """Eight pairs that need each other, in a row: each needs the pair before it, too."""
        drivers = [{'name': f'{half}{i}', 'needs': [f'{other}{i}'] + ([f'a{i - 1}'] if i else [])}
                   for i in range(8) for half, other in ('ab', 'ba')]
        self.assertEqual(self.check_cycles(drivers, plan(drivers), 'standard input'), [2] * 8)

    def test_random_ones_come_in_order_or_have_true_cycles(self):
        for seed in range(60):
            chance = random.Random(seed)
            count = chance.randrange(2, 60)
            names = [f'd{i}' for i in range(count)]
            drivers = [{'name': name, 'needs': [b for b in names if b != name and chance.random() < 1.1 / count]}
                       for name in names]
            result = plan(drivers, '--format', 'json')
            with self.subTest(seed=seed):
                if components(names, edges_of(drivers)):
                    self.check_cycles(drivers, result, 'standard input')
                else:
                    self.check_order(drivers, result)


class Problems(unittest.TestCase):
    def check(self, drivers, *lines):
        result = plan(drivers)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout, '')
        self.assertEqual(result.stderr.splitlines(), ['standard input: ' + line for line in lines])

    def test_all_are_told_in_one_run_one_line_each(self):
        self.check([{'name': 'storage', 'needs': ['secrets', 'storage']}, {'name': 'storage'},
                    {'name': 'a', 'needs': ['b']}, {'name': 'b', 'after': ['a']}],
                   "storage needs 'secrets', which no driver provides",
                   'storage needs itself',
                   "there are two drivers named 'storage'",
                   'dependency cycle: a needs b, b is after a')

    def test_a_tier_that_needs_a_higher_one(self):
        self.check([{'name': 'storage', 'needs': ['secret']}, {'name': 'secret', 'tier': 10}],
                   'dependency cycle: storage needs secret, secret (tier 10) comes after storage (tier 0)')

    def test_members_of_a_wrong_type(self):
        self.check([{'name': 'a', 'tier': '1', 'needs': 'b'}, {'name': 5}, {'name': 'c', 'wants': ['x', 1]}, 7],
                   "driver 0 ('a'): tier must be an integer, and is a string",
                   "driver 0 ('a'): needs must be a list of strings, and is a string",
                   'driver 1: name must be a string, and is an integer',
                   "driver 2 ('c'): wants[1] must be a string, and is an integer",
                   'driver 3: it must be an object, and is an integer')

    def test_unknown_members_are_named(self):
        self.check([{'name': 'a', 'need': []}, {'nam': 'b'}],
                   "driver 0 ('a'): unknown member 'need'",
                   'driver 1: it has no name',
                   "driver 1: unknown member 'nam'")

    def test_names_that_are_none(self):
        for name in ['', 'a/b', 'a\nb', 'a\x9b31m', 'x' * 256]:
            result = plan([{'name': name}])
            self.assertEqual(result.returncode, 1)
            self.assertNotIn('\x9b', result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1)
            self.assertIn('a name is 1 to 255 bytes', result.stderr)


class Files(unittest.TestCase):
    def check(self, text, expected):
        result = run('plan', '-', text=text)
        self.assertEqual((result.returncode, result.stdout), (1, ''))
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        self.assertIn(expected, result.stderr)

    def test_syntax_errors_have_line_and_column(self):
        self.check('{"drivers": [\n  {"name": "a",}\n]}', 'line 2, column 16: ')
        self.check('{"drivers": []} x', 'line 1, column 17: ')
        self.check('', 'line 1, column 0: ')
        self.check('{"drivers": [\n{"name": "a", "name": "b"}]}', 'line 2, column 20: duplicate object key')
        self.check('{"drivers": [{"name": "a\\u0000b"}]}', 'line 1, column ')

    def test_bytes_that_are_no_utf8(self):
        result = subprocess.run([MUSTER, 'plan', '-'], input=b'{"drivers": [{"name": "\xff"}]}', capture_output=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b'line 1, column ', result.stderr)

    def test_deep_nesting_is_refused_before_parsing(self):
        self.check('{"drivers":\n' + '[' * 1000000, 'line 2, column 8: more than 8 brackets')

    def test_the_root_is_an_object_with_drivers_alone(self):
        self.check('[]', "must be an object with the member 'drivers', and is a list")
        self.check('{}', "the member 'drivers' is missing")
        self.check('{"drivers": {}}', 'drivers must be a list of objects, and is an object')
        self.check('{"drivers": [], "driver": 1}', "unknown member 'driver'")

    def test_files_that_cannot_be_read(self):
        for path in ['/nonexistent/plan.json', '/']:
            result = run('plan', path)
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stderr, '^' + re.escape(path) + ': ')

    def test_a_file_is_named_in_messages(self):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, 'plan.json')
            with open(path, 'w', encoding='utf-8') as file:
                file.write('{"drivers": [{"name": "a", "needs": ["b"]}]}')
            self.assertEqual(run('plan', path).stderr, f"{path}: a needs 'b', which no driver provides\n")

    def test_an_empty_plan_is_fine(self):
        self.assertEqual(json.loads(plan([], '--format', 'json').stdout), {'order': []})
        self.assertEqual(plan([]).returncode, 0)


class Formats(unittest.TestCase):
    DRIVERS = [{'name': 'guests', 'needs': ['pools', 'network'], 'tier': 1},
               {'name': 'storage', 'wants': ['secret'], 'provides': ['pools']},
               {'name': 'network', 'priority': -1}, {'name': 'secret', 'before': ['network']},
               {'name': 'q"u\\o&lt;té', 'after': ['storage']}]

    def test_text_is_a_table(self):
        self.assertEqual(plan(self.DRIVERS).stdout.splitlines(), [
            'ORDER  LEVEL  TIER  NAME         WAITS FOR',
            '    1      0     0  secret       -',
            '    2      1     0  storage      secret',
            '    3      1     0  network      secret',
            '    4      2     0  q"u\\o&lt;té  storage',
            '    5      3     1  guests       storage, network'])

    def test_json_keeps_every_name(self):
        order = json.loads(plan(self.DRIVERS, '--format=json').stdout)['order']
        self.assertEqual(order[3], {'name': 'q"u\\o&lt;té', 'level': 2, 'waits_for': ['storage']})

    @unittest.skipUnless(shutil.which('dot'), 'Graphviz is missing')
    def test_dot_draws_it(self):
        graph = plan(self.DRIVERS, '-f', 'dot').stdout
        drawn = subprocess.run(['dot', '-Tsvg'], input=graph, capture_output=True, encoding='utf-8', check=True)
        self.assertEqual(drawn.stderr, '')
        self.assertEqual(drawn.stdout.count('class="node"'), 5)
        self.assertEqual(drawn.stdout.count('class="edge"'), 5)
        self.assertIn('q&quot;u\\o&amp;lt;té', drawn.stdout)


class Usage(unittest.TestCase):
    def test_wrong_usage_is_2(self):
        for arguments in [(), ('nonsense',), ('--nonsense',), ('plan',), ('plan', 'a', 'b'), ('plan', '--nonsense', 'a'),
                          ('plan', '--format', 'xml', 'a'), ('plan', '--format')]:
            with self.subTest(arguments):
                result = run(*arguments)
                self.assertEqual((result.returncode, result.stdout), (2, ''))
                self.assertIn('--help', result.stderr)

    def test_help_and_version(self):
        for arguments in [('--help',), ('-h',), ('plan', '--help')]:
            result = run(*arguments)
            self.assertEqual((result.returncode, result.stderr), (0, ''))
            self.assertIn('usage: muster', result.stdout)
        self.assertRegex(run('--version').stdout, r'^muster \d+\.\d+\.\d+\n$')

    def test_output_that_cannot_be_written_is_1(self):
        for arguments in [('plan', '-'), ('--help',)]:
            with open('/dev/full', 'w', encoding='utf-8') as full:
                result = subprocess.run([MUSTER, *arguments], input='{"drivers": []}', stdout=full,
                                        stderr=subprocess.PIPE, encoding='utf-8')
            self.assertEqual(result.returncode, 1)
            self.assertIn('standard output: No space left on device', result.stderr)


if __name__ == '__main__':
    MUSTER, GRAPHS = sys.argv[1:]
    outcome.main(sys.argv[:1])
