#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The command lines, the config, the control socket, and what a stop and a start cost."""

import json
import os
import re
import socket
import subprocess
import unittest
from pathlib import Path

from lab import Refused, wait_until
from virthost_case import Case, main


class Usage(Case):
    def run_program(self, *args):
        return subprocess.run(args, capture_output=True, text=True, timeout=30, check=False)

    def test_help_and_version(self):
        for program in self.lab.virthost, self.lab.virthostctl:
            self.assertIn('usage: ' + program.name, self.run_program(program, '--help').stdout)
            done = self.run_program(program, '--version')
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout, r'\(muster \d+\.\d+\.\d+\)')

    def test_the_readme_has_each_option(self):
        readme = (Path(__file__).resolve().parents[2] / 'examples/virthost/README.md').read_text()
        for program in self.lab.virthost, self.lab.virthostctl:
            told = set(re.findall(r'--[a-z-]+', self.run_program(program, '--help').stdout))
            self.assertGreater(len(told), 8)
            self.assertEqual({option for option in told - {'--help', '--version', '--boot-id'} if option not in readme}, set())

    def test_wrong_usage_is_2_and_names_what_is_missing(self):
        lab = self.lab
        for args, text in (([lab.virthost], '--config'), ([lab.virthost, '--config', '/'], '--state'),
                           ([lab.virthost, '--nonsense'], 'nonsense'), ([lab.virthostctl], 'command'),
                           ([lab.virthostctl, 'list'], '--socket'), ([lab.virthostctl, 'dance'], 'dance'),
                           ([lab.virthostctl, '--socket', '/x', 'start'], 'argument'),
                           ([lab.virthostctl, '--socket', '/x', 'list', 'more'], 'argument')):
            done = self.run_program(*args)
            self.assertEqual(done.returncode, 2, args)
            self.assertIn(text, done.stderr)

    def assert_null(self, pid):
        self.assertEqual([os.readlink(f'/proc/{pid}/fd/{number}') for number in range(3)], ['/dev/null'] * 3)

    def test_without_the_standard_files_no_other_takes_their_place(self):
        closed = 'sh', '-c', 'exec "$@" <&- >&- 2>&-', 'sh'
        self.lab.start(wrapper=closed)
        self.assert_null(self.lab.daemon.pid)
        with socket.socket(socket.AF_UNIX) as listener:
            path = str(self.lab.directory / 'other.sock')
            listener.bind(path)
            listener.listen()
            listener.settimeout(30)
            with subprocess.Popen([*closed, self.lab.virthostctl, '--socket', path, 'list']) as ctl:
                with listener.accept()[0]:
                    self.assert_null(ctl.pid)
            self.assertEqual(ctl.returncode, 1)

    def test_no_daemon(self):
        done = self.run_program(*self.lab.command('list'))
        self.assertEqual(done.returncode, 1)
        self.assertIn('is virthost running?', done.stderr)

    def test_no_such_resource(self):
        self.lab.start()
        with self.assertRaisesRegex(Refused, "no resource 'guest/nobody'"):
            self.lab.ctl('start', 'guest/nobody')

    def test_a_config_directory_that_is_not_there(self):
        lab = self.lab
        done = self.run_program(lab.virthost, '--config', '/nowhere', '--state', lab.state, '--socket', lab.socket)
        self.assertEqual(done.returncode, 1)
        self.assertIn('/nowhere: No such file or directory', done.stderr)


class Config(Case):
    def check(self):
        lab = self.lab
        done = subprocess.run([lab.virthost, '--config', lab.config, '--check'], capture_output=True, text=True,
                              timeout=30, check=False)
        return done.returncode, done.stderr

    def test_each_problem_is_named(self):
        lab = self.lab
        lab.nbd_pool('rbd', start=False)
        lab.guest('a', pool='nbd/rbd', slot=1)
        lab.guest('b', pool='nbd/rbd', slot=1)
        lab.guest('c', memory=-1)
        lab.guest('d', pool='secret/x')
        lab.guest('e', 'sometimes')
        lab.guest('f', colour='red')
        files = {'syntax': '{"name": "x"', 'twice': '{"name": "x", "name": "y"}', 'list': '[]', 'nothing': '{}',
                 'slash': '{"name": "../x"}', 'huge': ' ' * 100000 + '{}', 'deep': '[' * 5000, 'again': '{"name": "a"}'}
        for name, text in files.items():
            (lab.config / 'guests' / f'{name}.json').write_text(text)
        (lab.config / 'secrets').mkdir()
        (lab.config / 'secrets' / 's.json').write_text('{"name": "s", "user": "u", "psk": "hush"}')
        code, text = self.check()
        self.assertEqual(code, 1)
        for wanted in (r"guest 'b': nbd/rbd slot 1 is taken by guest 'a'", r"c\.json: member 'memory': expected an integer",
                       r"d\.json: member 'pool': expected DRIVER/NAME", r"e\.json: member 'policy': expected manual",
                       r"f\.json: member 'colour': unknown", r'syntax\.json:1:\d+: ', r'twice\.json:1:\d+: duplicate',
                       r'list\.json: expected an object', r"nothing\.json: member 'name' is missing",
                       r"slash\.json: member 'name'", r'huge\.json: larger than', r'deep\.json:',
                       r"again\.json|a\.json: there is another guest", r"s\.json: member 'psk': expected"):
            self.assertRegex(text, wanted)
        self.assertNotIn('hush', text)

    def test_a_problem_of_a_file_whose_name_is_not_utf8_is_one(self):
        self.lab.guest('a')
        (self.lab.config / 'guests' / os.fsdecode(b'b\xff\xc3\xa4.json')).write_text('{')
        code, text = self.check()
        self.assertEqual(code, 1)
        self.assertRegex(text, r'/guests/b\?\?\?\.json:1:\d+: ')

    def test_one_bad_file_costs_nobody_else(self):
        lab = self.lab
        lab.guest('a', 'autostart')
        (lab.config / 'guests' / 'bad.json').write_text('{')
        lab.start()
        self.assert_states(guest_a='active')
        self.assertIn('bad.json:1:', lab.status()['problems'][0])

    def test_a_good_config_is_0(self):
        self.lab.guest('a')
        self.assertEqual(self.check(), (0, ''))


class Control(Case):
    def ask(self, data):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(10)
            connection.connect(str(self.lab.socket))
            try:
                connection.sendall(data)
                return json.loads(connection.makefile().readline() or 'null')
            except ConnectionError:
                return None

    def test_nonsense_is_answered(self):
        self.lab.start()
        for line in b'\n', b'hello\n', b'[]\n', b'{}\n', b'{"command":7}\n', b'{"command":"start"}\n', b'\xff\xfe\n':
            reply = self.ask(line)
            self.assertFalse(reply['ok'])
            self.assertTrue(reply['error'])
        self.assertIsNone(self.ask(b'x' * 70000))
        self.assertTrue(self.ask(b'{"command":"list"}\n')['ok'])

    def test_a_client_that_goes_away_does_no_harm(self):
        lab = self.lab
        lab.guest('a')
        lab.start()
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(lab.socket))
            connection.sendall(b'{"command":"start","resource":"guest/a"}\n')
        wait_until(lambda: lab.state_of('guest/a') == 'active', 'the guest to run')

    def test_requests_before_the_roll_call_is_over_are_kept(self):
        lab = self.lab
        lab.guest('a')
        lab.start(wait='')
        wait_until(lab.socket.exists, 'the socket')
        lab.ctl('start', 'guest/a')
        self.assert_states(guest_a='active')


class Cost(Case):
    @unittest.skipUnless(subprocess.run(['which', 'strace'], capture_output=True, check=False).returncode == 0,
                         'strace is missing')
    def test_one_stop_and_start_of_one_guest_is_four_fdatasyncs_or_fewer(self):
        lab = self.lab
        lab.guest('a', 'autostart')
        lab.start()
        counts = lab.directory / 'strace'
        tracer = subprocess.Popen(['strace', '-f', '-c', '-e', 'trace=fdatasync,fsync', '-o', counts, '-p',
                                   str(lab.daemon.pid)], stderr=subprocess.PIPE, text=True)
        # It says so when it has attached.
        tracer.stderr.readline()
        lab.ctl('stop', 'guest/a')
        lab.ctl('start', 'guest/a')
        tracer.terminate()
        tracer.communicate(timeout=30)
        rows = re.findall(r'^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(fdatasync|fsync)$', counts.read_text(),
                          re.MULTILINE)
        found = {name: int(calls) for calls, name in rows}
        self.assertGreater(found.get('fdatasync', 0), 0, counts.read_text())
        self.assertLessEqual(found['fdatasync'], 4)
        self.assertEqual(found.get('fsync', 0), 0)


if __name__ == '__main__':
    main()
