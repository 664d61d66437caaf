#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a Tab offers after `muster ...`: test_bash_completion.py MUSTER REPORT_HOST."""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

MUSTER = HOST = None
COMPLETION = Path(__file__).resolve().parents[2] / 'completion/muster.bash'
# (There is no compopt outside of a completion.)
ASK = 'compopt() { :; }; source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _muster; printf "%s\\n" "${COMPREPLY[@]}"'


def offered(*words, cwd=None):
    """As bash splits a line, with '=' a word of its own; the last word is completed."""
    done = subprocess.run(['bash', '-c', ASK, 'bash', COMPLETION, 'muster', *words], capture_output=True, text=True,
                          timeout=60, check=True, cwd=cwd)
    assert done.stderr == '', done.stderr
    return [line for line in done.stdout.split('\n') if line != '']


def help_of(*command):
    return subprocess.run([MUSTER, *command, '--help'], capture_output=True, text=True, timeout=60, check=True).stdout


class Completion(unittest.TestCase):
    def test_each_command_and_view_of_the_help_is_offered(self):
        commands = set(re.findall(r'^  (\w+) +\S+.*  ', help_of(), re.M))
        self.assertTrue({'plan', 'report', 'store'} <= commands)
        self.assertTrue(commands <= set(offered('')))
        views = set(re.findall(r'muster report ([a-z-]+) FILE', help_of('report')))
        self.assertTrue({'why', 'critical-chain'} <= views)
        self.assertTrue(views <= set(offered('report', '')))
        actions = set(re.findall(r'^  (\w+) +PATH', help_of('store'), re.M))
        self.assertTrue({'show', 'resolve'} <= actions)
        self.assertTrue(actions <= set(offered('store', '')))

    def test_formats(self):
        self.assertEqual(offered('report', '--format', ''), ['text', 'json', 'svg', 'trace', 'dot'])
        self.assertEqual(offered('report', '--format', '='), ['text', 'json', 'svg', 'trace', 'dot'])
        self.assertEqual(offered('report', '--format', '=', 'tr'), ['trace'])
        self.assertEqual(offered('plan', '-f', 'd'), ['dot'])

    def test_names_come_from_the_report(self):
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / 'report.json'
            path.write_bytes(subprocess.run([HOST, '5'], capture_output=True, timeout=60, check=True).stdout)
            self.assertEqual(offered('report', 'why', str(path), 'storage/'), ['storage/pool0', 'storage/pool1'])
            self.assertIn('guest', offered('report', 'critical-chain', str(path), ''))
            self.assertIn(str(path), offered('report', 'diff', str(path), directory + '/r'))
            for view in 'time', 'blame':
                self.assertEqual(offered('report', view, str(path), ''), [])

    def test_what_a_report_says_is_never_executed(self):
        names = '$(touch${IFS}pwned)', '`touch pwned`', "';touch pwned;'", '${x:=y}', 'two words', '*'
        for view in 'why', 'critical-chain':
            with tempfile.TemporaryDirectory() as directory:
                path = Path(directory) / 'report.json'
                path.write_text(''.join('{"driver":"guest","resource":"%s"}\n' % name for name in names) +
                                ''.join('{"driver":"%s","tier":0}\n' % name for name in names))
                completed = offered('report', view, str(path), '', cwd=directory)
                self.assertEqual(os.listdir(directory), ['report.json'])
                # As words of a line that is then run, they are what the report says.
                line = subprocess.run(['bash', '-c', 'printf "%s\\n" ' + ' '.join(completed)], capture_output=True,
                                      text=True, timeout=60, check=True, cwd=directory)
                self.assertEqual(line.stdout.splitlines(), ['guest/' + name for name in names] + list(names))
                self.assertEqual(os.listdir(directory), ['report.json'])
                self.assertEqual(offered('report', view, str(path), 'guest/tw'), ['guest/two\\ words'])
                self.assertEqual(offered('report', view, str(path), 'guest/two\\ w'), ['guest/two\\ words'])

    def test_files(self):
        with tempfile.TemporaryDirectory() as directory:
            for name in 'record.json', 'restart report.json', 'why not':
                (Path(directory) / name).touch()
            for words in ['report', 're'], ['plan', 're'], ['store', 'show', 're'], ['report', 'diff', 're']:
                self.assertEqual(sorted(offered(*words, cwd=directory)), ['record.json', 'restart report.json'])
            self.assertEqual(offered('report', 'wh', cwd=directory), ['why', 'why not'])


if __name__ == '__main__':
    MUSTER, HOST = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
