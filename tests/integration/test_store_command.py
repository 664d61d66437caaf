#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""`muster store` from outside: tables, damage by line and record, copies between stores, and beside a daemon.

usage: test_store_command.py MUSTER STORE...      STORE: journal, sqlite: what this build has
"""

import fcntl
import json
import os
import pty
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import unittest
from pathlib import Path

import outcome

MUSTER, STORES = None, []

# What must get through every store: big numbers, each flag, every kind, words of no language, long handles.
RECORDS = [
    {'kind': 'resource', 'driver': 'guest', 'name': 'web1', 'desired': 'active', 'stage': 'active', 'reason': 'user',
     'boot': 'b-1', 'attempts': 1, 'generation': 7, 'token': '0123456789abcdef' * 2, 'handle': '{"pid":4711}', 'format': 1,
     'mark': True},
    {'kind': 'resource', 'driver': 'guest', 'name': 'träńk 中 "/\\', 'desired': 'active', 'stage': 'inactive',
     'reason': 'failure', 'attempts': 3, 'generation': str(2**64 - 1), 'format': 1, 'extra': '{"later":[1,{"x":null}]}'},
    {'kind': 'resource', 'driver': 'storage', 'name': 'rbd0', 'desired': 'inactive', 'stage': 'inactive', 'reason': 'user',
     'attempts': 0, 'generation': 0, 'format': 0, 'extra': '{"handle":"lost"}', 'quarantined': True},
    {'kind': 'history', 'driver': 'guest', 'name': 'web1', 'desired': 'inactive', 'stage': 'inactive', 'reason': 'user',
     'attempts': 0, 'generation': 3, 'handle': '[12,13]', 'format': 1},
    {'kind': 9, 'driver': 'future', 'name': 'x', 'desired': 7, 'stage': 8, 'reason': 9, 'attempts': 0, 'generation': 1,
     'format': 99},
    {'kind': 'resource', 'driver': 'guest', 'name': 'big', 'desired': 'inactive', 'stage': 'stopping', 'reason': 'self',
     'attempts': 0, 'generation': 1, 'handle': 'h' * (1 << 20), 'format': 1},
]


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def simple(name, **members):
    return {'driver': 'guest', 'name': name, 'desired': 'active', 'stage': 'active', 'format': 1, **members}


def run(*arguments, text=''):
    return subprocess.run([MUSTER, 'store', *arguments], input=text, capture_output=True, encoding='utf-8', timeout=120)


def export_of(records):
    return json.dumps({'muster-export': 1, 'records': records})


class Case(unittest.TestCase):
    def setUp(self):
        self.top = tempfile.mkdtemp(prefix='muster-store-')
        self.addCleanup(shutil.rmtree, self.top)

    def path(self, name):
        return os.path.join(self.top, name)

    def fine(self, *arguments, text=''):
        result = run(*arguments, text=text)
        self.assertEqual((result.returncode, result.stderr), (0, ''))
        return result.stdout

    def problem(self, *arguments, text=''):
        """The lines on standard error, without the path before them."""
        result = run(*arguments, text=text)
        self.assertEqual(result.returncode, 1, result)
        self.assertNotEqual(result.stderr, '')
        return [line.replace(self.top + '/', '') for line in result.stderr.splitlines()]

    def fill(self, store, records):
        """One commit a record."""
        for record in records:
            self.fine('import', '--merge', store, text=export_of([record]))

    def records(self, store):
        return json.loads(self.fine('show', '--json', store))['records']

    def stores(self, name):
        return [f'{kind}:{self.path(name)}.{kind}' for kind in STORES]

    def snapshot(self):
        """All files, their bytes and their times."""
        found = {}
        for directory, _, names in os.walk(self.top):
            for path in [directory, *(os.path.join(directory, name) for name in names)]:
                status = os.lstat(path)
                content = Path(path).read_bytes() if os.path.isfile(path) else None
                found[path] = (status.st_ino, status.st_mode, status.st_mtime_ns, content)
        return found


class Copies(Case):
    def test_nothing_is_lost_between_any_two_stores(self):
        for source in self.stores('source'):
            self.fine('import', source, text=export_of(RECORDS))
            exported = self.fine('export', source)
            self.assertEqual(json.loads(exported)['records'], RECORDS)
            for target in self.stores('target-of-' + source.split(':')[0]):
                self.fine('import', target, text=exported)
                self.assertEqual(self.fine('export', target), exported)
                self.assertEqual(self.fine('show', '--json', target), exported)

    def test_import_is_all_or_nothing_and_replaces_only_if_told(self):
        for store in self.stores('a'):
            self.fill(store, [simple('a', generation=1), simple('b')])
            self.assertIn('there are 2 records already; --merge adds', self.problem('import', store, text=export_of([]))[0])
            new = export_of([simple('c'), simple('a', generation=2)])
            self.fine('import', '--merge', store, text=new)
            self.assertEqual({r['name']: r['generation'] for r in self.records(store)}, {'a': 2, 'b': 0, 'c': 0})
            self.problem('import', '-m', store, text=export_of([simple('d'), simple('e', handle='x' * ((1 << 20) + 1))]))
            self.assertEqual(len(self.records(store)), 3)

    def test_input_that_cannot_be_taken_makes_no_store(self):
        for text, expected in [
                ('', 'line 1, column 0'), ('[' * 100000, 'line 1'), ('[]', "isn't what muster store export prints"),
                ('{"muster-export": 2, "records": []}', 'export format 2, and this muster knows 1'),
                (export_of([7]), 'record 0 (\'\'): it must be an object'),
                (export_of([simple('a'), simple('a')]), 'record guest/a is there twice'),
                (export_of([{'driver': 'guest'}]), 'it has no name'),
                (export_of([simple('a', colour='red')]), "record 0 ('a'): it has a member 'colour' that isn't known"),
                (export_of([simple('a', flag='mark')]), "record 0 ('a'): it has a member 'flag' that isn't known"),
                (export_of([simple('a', token='zz')]), "record 0 ('a'): token isn't 32 hexadecimal digits"),
                (export_of([simple('a', token='g' * 32)]), "token isn't 32 hexadecimal digits"),
                (export_of([simple('a', stage='upright')]), "stage isn't what it can be"),
                (export_of([simple('a', attempts=-1)]), "attempts isn't what it can be"),
                (export_of([simple('a', attempts='18446744073709551616')]), "attempts isn't what it can be"),
                (export_of([simple('a', flags=2)]), "a flag isn't what it can be"),
                (export_of([simple('a', extra='[]')]), "extra isn't the text of a JSON object"),
                (export_of([simple('a', handle='x' * ((1 << 20) + 1))]), 'its handle is longer than 1 MiB')]:
            with self.subTest(expected):
                self.assertIn(expected, self.problem('import', self.stores('none')[0], text=text)[0])
                self.assertEqual(os.listdir(self.top), [])

    def test_a_bare_path_is_told_by_what_is_there(self):
        for store in self.stores('a'):
            self.fill(store, [simple('a')])
            self.assertEqual(self.records(store.split(':')[1]), self.records(store))
        self.assertIn('name it journal:', self.problem('import', self.path('nix'), text=export_of([]))[0])
        self.assertEqual(self.problem('show', self.path('nix')), ['nix: No such file or directory'])
        with open(self.path('text'), 'w', encoding='utf-8') as file:
            file.write('hello\n' * 10)
        for path, expected in [(self.path('text'), 'neither the directory of a journal nor a sqlite database'),
                               ('/dev/null', 'neither'), ('journal:' + self.top, 'there is no journal here'),
                               (self.top, 'there is no journal here'), ('sqlite:' + self.path('text'), 'not a sqlite'),
                               ('sqlite:' + self.path('nix'), 'there is no database here'), ('journal:', 'path is empty')]:
            for action in ['show', 'verify', 'export', 'compact']:
                with self.subTest(path=path, action=action):
                    before = self.snapshot()
                    self.assertIn(expected, self.problem(action, path)[0])
                    self.assertEqual(self.snapshot(), before)


class Table(Case):
    def setUp(self):
        super().setUp()
        self.store = self.stores('a')[0]
        self.fine('import', self.store, text=export_of(RECORDS))

    def in_terminal(self, columns):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack('HHHH', 40, columns, 0, 0))
        with subprocess.Popen([MUSTER, 'store', 'show', self.store], stdout=theirs) as process:
            os.close(theirs)
            text = b''
            try:
                while chunk := os.read(ours, 65536):
                    text += chunk
            except OSError:
                pass
            os.close(ours)
        self.assertEqual(process.returncode, 0)
        return text.decode().splitlines()

    def test_it_has_a_line_a_record_in_order_of_names(self):
        lines = self.fine('show', self.store).splitlines()
        self.assertEqual(lines[0].split(), ['NAME', 'DESIRED', 'STAGE', 'REASON', 'ATTEMPTS', 'NOTES', 'HANDLE'])
        self.assertEqual([line.split()[0] for line in lines[1:]],
                         ['9:future/x', 'guest/big', 'guest/träńk', 'guest/web1', 'storage/rbd0'])
        self.assertEqual(lines[4].split(), ['guest/web1', 'active', 'active', '-', '1', 'mark', '{"pid":4711}'])
        self.assertEqual(lines[5].split(), ['storage/rbd0', '-', '-', '-', '-', 'quarantined', '-'])
        self.assertLessEqual(max(map(len, lines)), 160)

    def test_it_fits_the_terminal(self):
        for columns in [200, 120, 80, 72, 60, 50]:
            lines = self.in_terminal(columns)
            self.assertEqual(len(lines), len(RECORDS)) # a title, and no durations
            self.assertLessEqual(max(map(len, lines)), columns)
            self.assertEqual('HANDLE' in lines[0], columns >= 80)

    def test_durations_are_left_out_unless_they_are_lost(self):
        lost = simple('web2', kind='history', quarantined=True)
        self.fill(self.store, [simple('web1', kind='history', handle='start=5000'), lost])
        names = [line.split()[0] for line in self.fine('show', self.store).splitlines()[1:]]
        self.assertNotIn('history:guest/web1', names)
        self.assertIn('history:guest/web2', names)
        self.assertIn('start=5000', self.fine('show', '--json', self.store))

    def test_verify_counts_the_durations_apart(self):
        store = self.stores('b')[0]
        for more, said in [(simple('a'), '1 record'), (simple('b', kind='history'), '1 record, 1 of durations'),
                           (simple('c', kind='history'), '1 record, 2 of durations'), (simple('d'), '2 records, 2 of durations')]:
            self.fill(store, [more])
            self.assertEqual(self.fine('verify', store), f'{store}: {said}, all fine\n')

    def test_what_is_in_a_handle_does_not_steer_the_terminal(self):
        self.fill(self.store, [simple('evil', handle='a\x1b[2J\x9bb\nc')])
        line = next(line for line in self.fine('show', self.store).splitlines() if 'evil' in line)
        self.assertIn('a [2J??b c'.replace('??', ''), line.replace('?', ''))
        self.assertNotIn('\x1b', line)
        self.assertNotIn('\x9b', line)


class Damage(Case):
    """Of a journal: the file is text."""

    def setUp(self):
        super().setUp()
        if 'journal' not in STORES:
            self.skipTest('no journal in this build')
        self.store = 'journal:' + self.path('j')
        self.fill(self.store, [simple('a'), simple('b'), simple('c'), simple('d')])
        with open(self.path('j/journal'), encoding='utf-8') as file:
            self.lines = file.read().split('\n')

    def damage(self, lines):
        with open(self.path('j/journal'), 'w', encoding='utf-8') as file:
            file.write('\n'.join(lines))

    def check(self, lines, *expected):
        """show and verify tell it, and change nothing."""
        self.damage(lines)
        before = self.snapshot()
        self.assertEqual(self.problem('verify', self.store)[1:], ['journal:j: ' + text for text in expected])
        run('show', self.store)
        self.assertEqual(self.snapshot(), before)

    def test_a_sound_one_is_fine(self):
        self.assertEqual(self.fine('verify', self.store), f'{self.store}: 4 records, all fine\n')

    def test_a_damaged_line_and_what_it_costs(self):
        lines = list(self.lines)
        lines[2] = lines[2].replace('"active"', '"octive"', 1)
        self.check(lines, 'line 3: damaged: its checksum or its form is wrong',
                   'record guest/b is quarantined: resolve or forget it')
        self.assertIn('1 batches lost', self.problem('verify', self.store)[0])
        self.assertIn('is corrupt', self.problem('show', self.store)[0])

    def test_lines_that_are_gone(self):
        lines = self.lines[:2] + self.lines[4:]
        self.check(lines, 'line 3: before this, batches 2 to 3 are missing',
                   'record guest/a is quarantined: resolve or forget it')

    def test_a_line_that_is_there_twice(self):
        self.check(self.lines[:3] + self.lines[2:], 'line 4: batch 2 is there twice, or out of order')

    def test_the_header(self):
        lines = list(self.lines)
        lines[0] = lines[0].replace('"first":1', '"first":2')
        self.assertNotEqual(lines, self.lines)
        self.damage(lines)
        self.assertIn('journal:j: line 1: the header is damaged', self.problem('verify', self.store))

    def test_a_torn_tail_is_told_by_verify_and_costs_nothing(self):
        self.damage(self.lines[:4] + [self.lines[4][:50]])
        self.assertEqual([line.split(': ', 2)[2].split(' has ')[1] for line in self.problem('verify', self.store)],
                         [f'a torn tail at byte {sum(len(line) + 1 for line in self.lines[:4])}, in line 5'])
        self.assertEqual([r['name'] for r in self.records(self.store)], ['a', 'b', 'c'])

    def test_of_the_future_is_refused(self):
        header = self.lines[0][:self.lines[0].index(',"crc"')].replace('journal":1', 'journal":2')
        self.damage([f'{header},"crc":"{crc32c(header.encode()):08x}"}}'] + self.lines[1:])
        before = Path(self.path('j/journal')).read_bytes()
        for action in ['show', 'verify', 'export', 'compact']:
            self.assertIn('has format 2, and this muster knows format 1', self.problem(action, self.store)[0])
            self.assertEqual(Path(self.path('j/journal')).read_bytes(), before)

    def test_export_tells_what_was_lost(self):
        lines = list(self.lines)
        lines[2] = lines[2].replace('"active"', '"octive"', 1)
        self.damage(lines)
        result = run('export', self.store)
        self.assertEqual(result.returncode, 1)
        self.assertIn('1 records are quarantined', result.stderr)
        self.assertEqual([r.get('quarantined', False) for r in json.loads(result.stdout)['records']],
                         [False, True, False, False])


class Mending(Case):
    def test_a_quarantined_record_is_resolved_or_forgotten(self):
        for store in self.stores('a'):
            for name in 'abc':
                self.fill(store, [simple(name, quarantined=True, desired='inactive', stage='inactive')])
            self.assertEqual(len(self.problem('verify', store)), 3)
            self.fine('resolve', store, 'guest/a', 'active')
            self.fine('resolve', store, 'guest/b', 'inactive')
            self.fine('forget', store, 'guest/c')
            self.fine('verify', store)
            with open('/proc/sys/kernel/random/boot_id', encoding='utf-8') as file:
                boot = file.read().strip()
            members = ['name', 'desired', 'stage', 'reason', 'boot', 'mark']
            self.assertEqual([tuple(record.get(member) for member in members) for record in self.records(store)],
                             [('a', 'active', 'active', 'user', boot, True), ('b', 'inactive', 'inactive', 'user', boot, None)])
            self.assertIn("guest/a isn't quarantined", self.problem('resolve', store, 'guest/a', 'active')[0])
            self.assertIn('there is no record guest/c', self.problem('forget', store, 'guest/c')[0])

    def test_forget_takes_every_kind_of_that_name_alone(self):
        for store in self.stores('a'):
            self.fill(store, [simple('a'), simple('a', kind='history'), simple('a/b'), simple('aa')])
            self.fine('forget', store, 'guest/a')
            self.assertEqual([r['name'] for r in self.records(store)], ['a/b', 'aa'])
            self.fine('forget', store, 'guest/a/b')
            self.assertEqual([r['name'] for r in self.records(store)], ['aa'])

    def test_compact_keeps_all(self):
        for store in self.stores('a'):
            self.fill(store, [simple('a', generation=i, handle='x' * 10000) for i in range(50)])
            before = self.records(store)
            self.fine('compact', store)
            self.assertEqual(self.records(store), before)


class BesideADaemon(Case):
    """This process is the daemon: it holds the lock as muster does."""

    def hold(self, path):
        file = open(path, 'r+', encoding='utf-8')
        self.addCleanup(file.close)
        fcntl.fcntl(file, 37, struct.pack('hhqqi', fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))  # F_OFD_SETLK
        with open('/proc/self/stat', encoding='utf-8') as stat:
            start = stat.read().rsplit(')', 1)[1].split()[19]
        file.write(f'{os.getpid()} {start}\n')
        file.flush()

    def test_only_show_and_verify_work_and_they_change_nothing(self):
        locks = {'journal': 'a.journal/lock', 'sqlite': 'a.sqlite-lock'}
        for store in self.stores('a'):
            self.fill(store, [simple('a')])
            self.hold(self.path(locks[store.split(':')[0]]))
            before = self.snapshot()
            self.fine('show', store)
            self.fine('verify', store)
            for action in [('export', store), ('compact', store), ('forget', store, 'guest/a'),
                           ('resolve', store, 'guest/a', 'active'), ('import', '-m', store)]:
                self.assertIn(f'held by process {os.getpid()}', self.problem(*action, text=export_of([]))[0])
            self.assertEqual(self.snapshot(), before)

    def test_a_database_that_is_being_written(self):
        if 'sqlite' not in STORES:
            self.skipTest('no sqlite in this build')
        import sqlite3
        self.fill('sqlite:' + self.path('a?b%20.db'), [simple('a')])
        daemon = sqlite3.connect(self.path('a?b%20.db'), isolation_level=None)
        self.addCleanup(daemon.close)
        daemon.execute('BEGIN IMMEDIATE')
        daemon.execute("UPDATE records SET generation = 5")
        self.assertEqual(self.records(self.path('a?b%20.db'))[0]['generation'], 0)
        daemon.execute('COMMIT')
        self.assertEqual(self.records(self.path('a?b%20.db'))[0]['generation'], 5)
        self.fine('verify', self.path('a?b%20.db'))

    def test_a_journal_that_is_replaced_again_and_again(self):
        if 'journal' not in STORES:
            self.skipTest('no journal in this build')
        store = 'journal:' + self.path('j')
        self.fill(store, [simple(f'g{i}', handle='x' * 1000) for i in range(20)])
        expected = self.records(store)
        script = 'for i in $(seq 300); do "$0" store compact "$1" || exit 1; done'
        with subprocess.Popen(['sh', '-c', script, MUSTER, store], stderr=subprocess.PIPE) as daemon:
            looks = 0
            while daemon.poll() is None:
                self.assertEqual(self.records(store), expected)
                self.fine('verify', store)
                looks += 1
            self.assertEqual((daemon.returncode, daemon.stderr.read()), (0, b''))
        self.assertGreater(looks, 0)


class Closed(Case):
    """Started without standard input, output and error."""

    def test_what_it_would_have_said_is_not_written_into_the_store(self):
        for store in self.stores('a'):
            self.fill(store, [simple('a')])
            before = self.records(store)
            for closed in '<&- >&- 2>&-', '<&-', '>&- 2>&-', '2>&-':
                with self.subTest((store, closed)):
                    done = subprocess.run(['sh', '-c', f'exec "$@" {closed}', 'sh', MUSTER, 'store', 'forget', store, 'guest/b'],
                                          capture_output=True, timeout=120)
                    self.assertEqual((done.returncode, done.stdout), (1, b''))
                    self.fine('verify', store)
                    self.assertEqual(self.records(store), before)

    def test_output_that_cannot_arrive_is_a_problem(self):
        for store in self.stores('a'):
            self.fill(store, [simple('a')])
            result = subprocess.run(['sh', '-c', 'exec "$@" >&-', 'sh', MUSTER, 'store', 'show', store], capture_output=True,
                                    timeout=120)
            self.assertEqual(result.returncode, 1)
            self.assertIn(b'standard output', result.stderr)


class Usage(unittest.TestCase):
    def test_wrong_usage_is_2(self):
        for arguments in [(), ('nonsense',), ('--nonsense',), ('show',), ('show', 'a', 'b'), ('show', '--merge', 'a'),
                          ('verify', '--json', 'a'), ('forget', 'a'), ('forget', 'a', 'b'), ('forget', 'a', '/b'),
                          ('forget', 'a', 'b/'), ('resolve', 'a', 'b/c'), ('resolve', 'a', 'b/c', 'up'), ('--json',)]:
            with self.subTest(arguments):
                result = run(*arguments)
                self.assertEqual((result.returncode, result.stdout), (2, ''))
                self.assertIn("Try 'muster store --help'.", result.stderr)

    def test_help(self):
        for arguments in [('--help',), ('show', '-h')]:
            result = run(*arguments)
            self.assertEqual((result.returncode, result.stderr), (0, ''))
            self.assertIn('usage: muster store', result.stdout)


if __name__ == '__main__':
    MUSTER, STORES = sys.argv[1], sys.argv[2:]
    outcome.main(sys.argv[:1])
