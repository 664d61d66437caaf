#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Usage: results.py --of FILE [--command TEXT] [--log FILE] [--disk DIR] [--instructions NAME=COUNT ...]

Prints a page (bench/RESULTS.md) of the benchmarks' lines of JSON in FILE: the machine, the versions, the targets and what came of
them, and a table for each benchmark. --log is what the benchmarks said besides; --disk is where they wrote.
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys

# What DESIGN.md, section 12, wants: benchmark, case, subject, unit; the ratio (or value) to reach; who is to be beaten.
Target = collections.namedtuple('Target', 'what bench case subject unit most of peers')
TARGETS = [
    *(Target(f'plan, {count} drivers', 'plan', f'random {count}', 'muster', 'ns/node+edge', 1.15, 'ratio_to_limit',
             ['boost', 'igraph', 'map', 'tsort']) for count in (1000, 10000, 100000, 1000000)),
    Target('memory of the plan, 100000 drivers', 'plan', 'random 100000', 'muster', 'bytes/node', 120, 'value',
           ['boost', 'igraph', 'map']),
    *(Target(f'one callback, {count} drivers', 'dispatch', f'sync {count}', 'muster', 'ns/callback', 3, 'ratio_to_limit', ['tbb'])
      for count in (10000, 100000)),
    *(Target(f'built and run, {count} drivers', 'dispatch', f'built + run {count}', 'muster', 'ns/callback', None,
             'ratio_to_limit', ['tbb', 'openmp']) for count in (10000, 100000)),
    *(Target(f'makespan, {at_once} at once', 'makespan', f'random {at_once}', 'muster', 'ms', most, 'ratio_to_limit', ['oneTBB'])
      for at_once, most in ((2, 1.03), (4, 1.08), (8, 1.18), (16, 1.02))),
    Target('one durable commit, p50', 'store', 'commit p50', 'journal', 'us', 1.15, 'ratio_to_limit',
           ['SQLite', 'rename', 'LMDB']),
    *(Target(f'a batch of {count} records', 'store', f'batch {count}', 'journal', 'us', 3, 'ratio_to_limit', ['LMDB', 'SQLite'])
      for count in (10000, 100000)),
    Target('bring-up of 10000 resources', 'bringup', 'restart 10000', 'muster', 'ms', 2, 'ratio_to_limit', []),
]


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ''


def first_match(path, pattern):
    try:
        with open(path, encoding='utf-8') as file:
            found = re.search(pattern, file.read(), re.M)
    except OSError:
        return ''
    return found.group(1).strip() if found else ''


def machine(disk):
    memory = first_match('/proc/meminfo', r'^MemTotal:\s+(\d+)')
    return [
        ('CPU', first_match('/proc/cpuinfo', r'^model name\s*:\s*(.*)$') or os.uname().machine),
        ('cores', str(os.cpu_count())),
        ('memory', f'{int(memory) / 1024 / 1024:.1f} GiB' if memory else ''),
        ('kernel', f'{os.uname().sysname} {os.uname().release}'),
        ('system', first_match('/etc/os-release', r'^PRETTY_NAME="?([^"\n]*)')),
        ('file system', output('findmnt', '-no', 'FSTYPE', '-T', disk)),
    ]


def versions():
    rows = [('muster', output('git', 'describe', '--always', '--dirty', '--tags')),
            ('gcc', output('gcc', '-dumpfullversion')), ('g++', output('g++', '-dumpfullversion'))]
    for name, package in (('libuv', 'libuv'), ('jansson', 'jansson'), ('SQLite', 'sqlite3'), ('oneTBB', 'tbb'), ('LMDB', 'lmdb'),
                          ('igraph', 'igraph')):
        rows.append((name, output('pkg-config', '--modversion', package)))
    rows.append(('Boost', first_match('/usr/include/boost/version.hpp', r'BOOST_LIB_VERSION "([^"]*)"').replace('_', '.')))
    return [(name, version or 'not here: left out') for name, version in rows]


def table(head, rows, numbers=()):
    """Columns in `numbers` are set to the right."""
    print('| ' + ' | '.join(head) + ' |')
    print('|' + '|'.join('---:' if i in numbers else '---' for i in range(len(head))) + '|')
    for row in rows:
        print('| ' + ' | '.join(row) + ' |')
    print()


def judge(target, lines):
    """A row of the table of targets."""
    wanted = (target.bench, target.case, target.unit)
    here = [line for line in lines if (line['bench'], line['case'], line['unit']) == wanted]
    ours = next((line for line in here if line['subject'] == target.subject), None)
    unit = 'x' if target.of == 'ratio_to_limit' else f' {target.unit}'
    want = '-' if target.most is None else f'{target.most:g}{unit}'
    if ours is None:
        return [target.what, want, '-', 'not measured', '-']
    digits = 3 if target.of == 'ratio_to_limit' else 1
    reached = '-' if target.most is None else 'reached' if ours[target.of] <= target.most else 'NOT reached'
    peers = [(line['subject'], ours['value'] <= line['value']) for line in here
             if line['subject'] != target.subject and any(line['subject'].startswith(peer) for peer in target.peers)]
    said = ', '.join(f'{name}: {"yes" if beaten else "NO"}' for name, beaten in peers) or '-'
    return [target.what, want, f'{ours[target.of]:.{digits}f}{unit}', reached, said]


def number(value):
    return f'{value:,.0f}' if value >= 10000 else f'{value:.1f}' if value >= 10 else f'{value:.2f}'


def print_bench(name, lines):
    print(f'## {name}\n')
    rows = []
    last = None
    for line in lines:
        spread = f'{line["spread"]:.0f} %' if 'spread' in line else '-'
        case = line['case'] if line['case'] != last else ''
        last = line['case']
        rows.append([case, line['subject'], number(line['value']), line['unit'], spread, f'{line["ratio_to_limit"]:.2f}'])
    table(['case', 'subject', 'median', 'unit', 'spread', 'ratio'], rows, numbers=(2, 4, 5))


def read_lines(path):
    lines = []
    with open(path, encoding='utf-8') as file:
        for count, text in enumerate(file, 1):
            try:
                line = json.loads(text)
                lines.append({key: line[key] for key in line})
                float(line['value']), float(line['ratio_to_limit'])
                str(line['bench'] + line['case'] + line['subject'] + line['unit'])
            except (ValueError, KeyError, TypeError) as error:
                sys.exit(f'results.py: {path}: line {count}: {error}')
    return lines


def print_page(options, lines):
    print('# Results\n')
    print('Written by `scripts/bench --full`. Only the ratios of subjects that took turns in one run count: times depend on the\n'
          'machine, and on what else it does. The spread is how far the middle half of the repeats is apart, in per cent of the\n'
          'median; the ratio is the median of the repeats\' own ratios to the limit.\n')
    if options.command:
        print(f'    {options.command}\n')
    print('## Targets\n')
    table(['what', 'reach', 'here', '', 'no slower than'], [judge(target, lines) for target in TARGETS])
    if options.instructions:
        print('Instructions of one run (callgrind), which say the same on any machine of the kind:\n')
        table(['run', 'instructions'], [[name, f'{int(count):,}'] for name, count in
                                        (pair.rsplit('=', 1) for pair in options.instructions)], numbers=(1,))
    for name in dict.fromkeys(line['bench'] for line in lines):
        print_bench(name, [line for line in lines if line['bench'] == name])
    print('## Where\n')
    table(['', ''], [list(row) for row in machine(options.disk) if row[1]])
    table(['version of', ''], [list(row) for row in versions()])
    if options.log and os.path.exists(options.log):
        with open(options.log, encoding='utf-8') as file:
            left_out = [line.strip() for line in file if 'left out' in line]
        for line in left_out:
            print(f'* {line}')


def main():
    parser = argparse.ArgumentParser(description=__doc__.strip(), formatter_class=argparse.RawDescriptionHelpFormatter,
                                     usage=argparse.SUPPRESS)
    parser.add_argument('--of', required=True)
    parser.add_argument('--command')
    parser.add_argument('--log')
    parser.add_argument('--disk', default=os.environ.get('TMPDIR', '/var/tmp'))
    parser.add_argument('--instructions', nargs='*', default=[])
    options = parser.parse_args()
    print_page(options, read_lines(options.of))


if __name__ == '__main__':
    main()
