#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a Tab offers after `muster ...`: test_bash_completion.py MUSTER REPORT_HOST."""
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


def offered(*words):
    """As bash splits a line, with '=' a word of its own; the last word is completed."""
    done = subprocess.run(['bash', '-c', ASK, 'bash', COMPLETION, 'muster', *words], capture_output=True, text=True,
                          timeout=60, check=True)
    assert done.stderr == '', done.stderr
    return done.stdout.split()


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


if __name__ == '__main__':
    MUSTER, HOST = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
