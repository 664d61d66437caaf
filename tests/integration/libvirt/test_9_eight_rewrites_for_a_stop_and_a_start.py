#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Failure 9: eight full rewrites with fsync for one stop and start of one guest.
Here four commits, one before and one after each: each is one write and one fdatasync, and no file is renamed.
"""

import json
import re
import shutil
import subprocess
import unittest

from virthost_case import Case, main

CALLS = 'fsync,fdatasync,sync_file_range,syncfs,sync,rename,renameat,renameat2,pwrite64,write'


@unittest.skipUnless(shutil.which('strace'), 'strace is missing')
class Cost(Case):
    def trace(self, *commands):
        """Which calls the daemon has made meanwhile on files in its state directory: [(call, path)]."""
        lab = self.lab
        output = lab.directory / 'strace'
        tracer = subprocess.Popen(['strace', '-f', '-y', '-s', '0', '-e', f'trace={CALLS}', '-o', output, '-p',
                                   str(lab.daemon.pid)], stderr=subprocess.PIPE, text=True)
        # It says so when it has attached.
        tracer.stderr.readline()
        for command in commands:
            lab.ctl(*command)
        tracer.terminate()
        tracer.communicate(timeout=30)
        calls = re.findall(r'^\d+ +(\w+)\((.*)', output.read_text(), re.MULTILINE)
        return [(call, re.search(r'[</"]([^<>"]*state/[^<>"/]*)[>"]', rest).group(1)) for call, rest in calls
                if re.search(r'/state/[^<>"/]*[>"]', rest)]

    def batches(self):
        lines = (self.lab.state / 'journal').read_text().rstrip('\n').split('\n')[1:]
        return [[record for record in json.loads(line)['records'] if record['kind'] == 'resource'] for line in lines]

    def test_a_stop_and_a_start_are_four_commits(self):
        lab = self.lab
        lab.nbd_pool('rbd', 'autostart')
        lab.guest('a', 'autostart', pool='nbd/rbd')
        for i in range(8):
            lab.guest(f'other{i}', 'autostart')
        lab.start()
        before = len(self.batches())
        calls = [call for call, _ in self.trace(('stop', 'guest/a'), ('start', 'guest/a'))]
        batches = self.batches()[before:]
        self.assertEqual([[(record['driver'], record['name'], record['stage']) for record in batch] for batch in batches],
                         [[('guest', 'a', stage)] for stage in ('stopping', 'inactive', 'starting', 'active')])
        print(f'commits {len(batches)}, ' + ', '.join(f'{call} {calls.count(call)}' for call in sorted(set(calls))))
        self.assertEqual({call: calls.count(call) for call in set(calls)}, {'pwrite64': 4, 'fdatasync': 4})


if __name__ == '__main__':
    main()
