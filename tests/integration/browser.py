# SPDX-License-Identifier: MIT
"""A headless Chromium, spoken to by the DevTools protocol through two pipes."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
PATIENCE = 120


def find():
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Browser:
    """One page. What its scripts throw and what it complains of is in `problems`."""

    def __init__(self, width=1240, height=900):
        self.profile = tempfile.mkdtemp()
        to_browser, self.to_browser = os.pipe()
        self.from_browser, from_browser = os.pipe()
        self.process = subprocess.Popen(
            ['sh', '-c', 'exec "$0" "$@" 3<&%d 4>&%d' % (to_browser, from_browser), find(), '--headless=new', '--no-sandbox',
             '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--remote-debugging-pipe',
             '--user-data-dir=' + self.profile, '--window-size=%d,%d' % (width, height), 'about:blank'],
            pass_fds=(to_browser, from_browser), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.received, self.events, self.problems, self.count, self.session = b'', [], [], 0, None
        target = self.call('Target.createTarget', url='about:blank', newWindow=True, width=width, height=height)['targetId']
        self.session = self.call('Target.attachToTarget', targetId=target, flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log'):
            self.call(domain + '.enable')

    def receive(self):
        while b'\0' not in self.received:
            if not select.select([self.from_browser], [], [], PATIENCE)[0]:
                raise TimeoutError('the browser says nothing')
            part = os.read(self.from_browser, 1 << 20)
            if not part:
                raise EOFError('the browser is gone')
            self.received += part
        message, self.received = self.received.split(b'\0', 1)
        return json.loads(message)

    def take(self, message):
        method = message.get('method')
        if method == 'Runtime.exceptionThrown':
            self.problems.append(message['params']['exceptionDetails'].get('text'))
        elif method == 'Log.entryAdded':
            self.problems.append(message['params']['entry']['text'])
        elif method:
            self.events.append(method)

    def call(self, method, **parameters):
        self.count += 1
        request = {'id': self.count, 'method': method, 'params': parameters}
        if self.session:
            request['sessionId'] = self.session
        os.write(self.to_browser, json.dumps(request).encode() + b'\0')
        while True:
            message = self.receive()
            if message.get('id') == self.count:
                assert 'error' not in message, message
                return message['result']
            self.take(message)

    def open(self, path):
        """Returns the seconds until it was loaded and painted."""
        self.events.clear()
        begin = time.monotonic()
        self.call('Page.navigate', url='file://' + os.path.abspath(path))
        while 'Page.loadEventFired' not in self.events:
            self.take(self.receive())
        self.evaluate('new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))')
        return time.monotonic() - begin

    def evaluate(self, expression):
        result = self.call('Runtime.evaluate', expression=expression, returnByValue=True, awaitPromise=True)
        assert 'exceptionDetails' not in result, result
        return result['result'].get('value')

    def click(self, x, y):
        for kind in ('mousePressed', 'mouseReleased'):
            self.call('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left', clickCount=1)

    def dark(self, dark):
        self.call('Emulation.setEmulatedMedia', features=[{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}])

    def screenshot(self, path):
        data = self.call('Page.captureScreenshot', format='png')['data']
        with open(path, 'wb') as file:
            file.write(base64.b64decode(data))

    def close(self):
        self.process.terminate()
        self.process.wait()
        os.close(self.to_browser)
        os.close(self.from_browser)
        shutil.rmtree(self.profile, ignore_errors=True)
