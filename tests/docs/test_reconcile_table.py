#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The table in docs/concepts.md says what lib/engine/rules.c does, row by row. With --write it is made to.

usage: test_reconcile_table.py [--write]
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs/concepts.md'
BEGIN, END = '<!-- the reconcile table, from lib/engine/rules.c -->', '<!-- the end of the table -->'

WORDS = {
    'ANY': 'any', 'INACTIVE_ALL': 'inactive', 'RUNS': 'ACTIVE', 'NOT_ACTIVE': 'not ACTIVE', 'SAME': 'same', 'NEW': 'new',
    'UNKNOWN': 'unknown', 'MANUAL': 'MANUAL', 'AUTOSTART': 'AUTOSTART', 'UNLESS_STOPPED': 'UNLESS_STOPPED',
    'LAST_STATE': 'LAST_STATE', 'MUSTER__ANSWER_UNAVAILABLE': 'UNAVAILABLE', 'MUSTER__ANSWER_ERROR': 'error, timeout',
    'MUSTER__ANSWER_FOREIGN': 'FOREIGN', 'MUSTER__ANSWER_RECORD': 'record decides', 'MUSTER__KEPT_NONE': 'none',
    'MUSTER__KEPT_QUARANTINED': 'quarantined', 'MUSTER__KEPT_STARTING': 'starting', 'MUSTER__KEPT_ACTIVE': 'active',
    'MUSTER__KEPT_STOPPING_USER': 'stopping (user)', 'MUSTER__KEPT_STOPPING_HOST': 'stopping (host-shutdown)',
    'MUSTER__KEPT_INACTIVE_USER': 'inactive (user)', 'MUSTER__KEPT_INACTIVE_SELF': 'inactive (self)',
    'MUSTER__KEPT_INACTIVE_HOST': 'inactive (host-shutdown)', 'MUSTER__KEPT_INACTIVE_LOSS': 'inactive (loss)',
    'MUSTER__KEPT_INACTIVE_FAILURE': 'inactive (failure)',
}
CONDITIONS = {
    'ALWAYS': '', 'DESIRED_ACTIVE': 'desired active', 'ADOPTS_UNMANAGED': 'ADOPT_UNMANAGED', 'IS_VOLATILE': 'VOLATILE',
    'RESTARTS_ON_LOSS': 'RESTART_ON_LOSS', 'ATTEMPTS_REMAIN': 'attempts remain',
    'DESIRED_ACTIVE_AND_ATTEMPTS_REMAIN': 'desired active, attempts remain', 'NOT_MARKED': 'no mark of this boot',
}
VERDICTS = {
    'DEFER': 'try again later; it counts as no attempt', 'HOLD_PROBE': 'hold as unknown, probe again',
    'HOLD': 'hold as unknown: the host decides', 'ADOPT': 'adopt', 'UNMANAGED': 'leave it alone, as unmanaged',
    'FINISH_STOP': 'finish the stop', 'LEAVE': 'leave it', 'START_NOW': 'start, in reconcile',
    'START_LATER': 'start, after the barrier',
}
REASONS = {'USER': 'user', 'LOSS': 'loss', 'FAILURE': 'failure', 'HOST_SHUTDOWN': 'host-shutdown'}


def split(text):
    """At the commas that are in no parenthesis."""
    parts, depth, start = [], 0, 0
    for place, character in enumerate(text):
        depth += {'(': 1, ')': -1, '{': 1, '}': -1}.get(character, 0)
        if character == ',' and depth == 0:
            parts.append(text[start:place].strip())
            start = place + 1
    return parts + [text[start:].strip()]


def words(expression):
    names = re.findall(r'\w+', re.sub(r'BIT\((\w+)\)', r'\1', expression))
    return ', '.join(WORDS[name] for name in names)


def then_of(text, read_on):
    if text.startswith('AFTER_BARRIER'):
        return VERDICTS['START_LATER']
    inactive = re.match(r'LEAVE_AS\(MUSTER_REASON_(\w+)\)', text) or re.search(r'\.reason = MUSTER_REASON_(\w+)', text)
    if inactive:
        said = f'record it inactive ({REASONS[inactive.group(1)]})'
        said += ', and read on as that' if read_on else ''
    else:
        said = VERDICTS[re.search(r'\.verdict = MUSTER__(\w+)', text).group(1)]
    said += ', and warn: it was not recorded' if '.unrecorded = true' in text else ''
    return said + (', and tell the observers of the loss' if '.lost = true' in text else '')


def rows():
    source = (ROOT / 'lib/engine/rules.c').read_text(encoding='utf-8')
    body = re.search(r'rows\[\] = \{(.*?)\n\};', source, re.S).group(1)
    found = [split(row[1:-1]) for row in split(' '.join(body.split())) if row]
    for kept, answer, boot, policy, condition, read_on, then in found:
        conditions = [words(policy)] if policy != 'ANY' else []
        conditions += [CONDITIONS[condition]] if CONDITIONS[condition] else []
        yield words(kept), words(answer), words(boot), '; '.join(conditions), then_of(then, read_on == 'true')


def table():
    lines = ['| | record | probe | boot | if | then |', '|---|---|---|---|---|---|']
    for number, row in enumerate(rows(), 1):
        lines.append(f'| {number} | ' + ' | '.join(row).replace('|  |', '| |') + ' |')
    return '\n'.join(lines)


def main():
    page = PAGE.read_text(encoding='utf-8')
    head, _, rest = page.partition(BEGIN)
    shown, _, tail = rest.partition(END)
    made = table()
    if sys.argv[1:] == ['--write']:
        PAGE.write_text(f'{head}{BEGIN}\n{made}\n{END}{tail}', encoding='utf-8')
        return 0
    if shown.strip() != made or made.count('\n') < 20:
        print(f'docs/concepts.md does not show the table of lib/engine/rules.c; try --write\n{made}')
        return 1
    print(f'{made.count(chr(10)) - 1} rows')
    return 0


if __name__ == '__main__':
    sys.exit(main())
