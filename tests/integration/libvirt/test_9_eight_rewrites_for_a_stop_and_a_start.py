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
        """Which calls the daemon has made meanwhile on its state directory, and on files in it."""
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
        return [call for call, arguments in calls if re.search(r'/state(/[^<>"/]*)?[>"]', arguments)]

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
        calls = self.trace(('stop', 'guest/a'), ('start', 'guest/a'))
        counted = {call: calls.count(call) for call in sorted(set(calls))}
        print('a stop and a start of one guest: ' + ', '.join(f'{count} {call}' for call, count in counted.items()))
        self.assertEqual(counted, {'fdatasync': 4, 'pwrite64': 4})
        batches = self.batches()[before:]
        self.assertEqual([[(record['driver'], record['name'], record['stage']) for record in batch] for batch in batches],
                         [[('guest', 'a', stage)] for stage in ('stopping', 'inactive', 'starting', 'active')])


if __name__ == '__main__':
    main()
