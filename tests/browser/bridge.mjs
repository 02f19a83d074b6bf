// The server without a page: its headers, its files, and stock mqtt.js through /mqtt to a real mosquitto.
// Usage: bridge.mjs DASHBOARD
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { gunzipSync } from 'node:zlib';
import mqtt from 'mqtt';
import WebSocket from 'ws';
import { Rig, Tap, until, USERS } from './rig.mjs';

const tap = new Tap();
const rig = new Rig();

const get = (path, headers = {}, method = 'GET') => new Promise((resolve, reject) => {
  const request = http.request(rig.url + path, { headers, method, agent: false }, (reply) => {
    const parts = [];
    reply.on('data', (part) => parts.push(part));
    reply.on('end', () => resolve({ status: reply.statusCode, headers: reply.headers, body: Buffer.concat(parts) }));
  });
  request.on('error', reject);
  request.end();
});

const connect = (user, password, more = {}) => new Promise((resolve, reject) => {
  const client = mqtt.connect(`${rig.url.replace('http', 'ws')}/mqtt`, { protocolVersion: 5, username: user, password, reconnectPeriod: 0, connectTimeout: 60000, ...more });
  client.once('connect', () => resolve(client));
  client.once('error', (error) => { client.end(true); reject(error); });
  client.once('close', () => reject(new Error('closed')));
});
const ended = (client) => new Promise((resolve) => client.end(false, {}, resolve));

/** The first line of the reply to an upgrade with these headers. */
const upgrade = (headers) => new Promise((resolve) => {
  const socket = net.connect(rig.port, '127.0.0.1', () => socket.write(
    `GET /mqtt HTTP/1.1\r\nHost: ${headers.host ?? `127.0.0.1:${rig.port}`}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n`
    + `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mqtt\r\n${headers.origin ? `Origin: ${headers.origin}\r\n` : ''}\r\n`));
  let text = '';
  socket.on('data', (part) => { text += part; resolve(text.split('\r\n')[0]); socket.destroy(); });
  socket.on('close', () => resolve(text.split('\r\n')[0]));
  socket.on('error', () => resolve(''));
});

try {
  await rig.startBroker();
  await rig.startDashboard(process.argv[2]);

  await tap.test('the page comes compressed, under a strict policy, and is asked for again', async () => {
    const page = await get('/', { 'accept-encoding': 'gzip, br' });
    assert.equal(page.status, 200);
    assert.equal(page.headers['content-encoding'], 'gzip');
    assert.match(gunzipSync(page.body).toString(), /<div id="app">/);
    const policy = page.headers['content-security-policy'];
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.match(policy, /connect-src 'self'/);
    assert.ok(!policy.includes('unsafe'));
    assert.equal(page.headers['x-content-type-options'], 'nosniff');
    assert.equal(page.headers['cache-control'], 'no-cache');
    const again = await get('/', { 'if-none-match': page.headers.etag });
    assert.equal(again.status, 304);
    assert.equal(again.body.length, 0);
  });

  await tap.test('a client that takes no gzip gets the same bytes plain', async () => {
    const packed = await get('/', { 'accept-encoding': 'gzip' });
    const plain = await get('/');
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.deepEqual(plain.body, gunzipSync(packed.body));
  });

  await tap.test('hashed files are kept for a year, and no inline script or style is in the page', async () => {
    const page = (await get('/')).body.toString();
    const file = /src="\.(\/assets\/[^"]+\.js)"/.exec(page)[1];
    const script = await get(file, { 'accept-encoding': 'gzip' });
    assert.match(script.headers['cache-control'], /immutable/);
    assert.match(script.headers['content-type'], /javascript/);
    assert.ok(!/<script(?![^>]*\bsrc=)[^>]*>/.test(page) && !/<style|\son\w+=/.test(page));
  });

  await tap.test('what is not there, and what may not be done, is said plainly', async () => {
    assert.equal((await get('/../../etc/passwd')).status, 404);
    assert.equal((await get('/assets/none.js')).status, 404);
    assert.equal((await get('/', {}, 'POST')).status, 405);
    assert.equal((await get('/mqtt')).status, 400);
    const head = await get('/', {}, 'HEAD');
    assert.equal(head.status, 200);
    assert.equal(head.body.length, 0);
    assert.deepEqual(JSON.parse((await get('/config.json')).body).tenant, 'main');
  });

  await tap.test('health tells whether the broker is there', async () => {
    const reply = await get('/healthz');
    const health = JSON.parse(reply.body);
    assert.equal(reply.status, 200);
    assert.equal(health.broker, 'reachable');
    assert.ok(health.uptime_ms >= 0);
    assert.equal(health.clients, 0);
  });

  await tap.test('stock mqtt.js connects, and messages of every size arrive whole', async () => {
    const client = await connect('admin', USERS.admin);
    const sizes = [0, 1, 125, 126, 127, 4000, 16383, 65535, 65536, 300000];
    const got = [];
    client.on('message', (_, payload) => got.push(payload));
    await client.subscribeAsync('flt/v1/main/u/admin/res/#', { qos: 1 });
    for (const size of sizes) await client.publishAsync('flt/v1/main/u/admin/res/x', Buffer.alloc(size, size % 251), { qos: 1 });
    await until('all messages', () => got.length === sizes.length);
    assert.deepEqual(got.map((payload) => payload.length), sizes);
    assert.ok(got.every((payload, i) => payload.every((byte) => byte === sizes[i] % 251)));
    await ended(client);
  });

  await tap.test('a wrong password is refused by the broker, and nobody gets in without one', async () => {
    await assert.rejects(connect('admin', 'wrong'), (error) => error.code === 135 || error.code === 134);
    await assert.rejects(connect(undefined, undefined));
  });

  await tap.test('rights are the broker\'s: a viewer cannot ask in another\'s name', async () => {
    const client = await connect('viewer', USERS.viewer);
    await assert.rejects(client.publishAsync('flt/v1/main/u/admin/req/halt', '{}', { qos: 1 }), (error) => error.code === 135);
    await ended(client);
  });

  await tap.test('a page of another origin, or by another name, is not let in', async () => {
    assert.match(await upgrade({ origin: `http://127.0.0.1:${rig.port}` }), / 101 /);
    assert.match(await upgrade({}), / 101 /);
    for (const headers of [{ origin: 'http://evil.example' }, { origin: 'null' }, { origin: `http://evil.example:${rig.port}`, host: `evil.example:${rig.port}` }])
      assert.ok(!/ 101 /.test(await upgrade(headers)), JSON.stringify(headers));
  });

  await tap.test('a slow reader pauses the broker\'s side and gets everything when it reads again', async () => {
    const sender = await connect('controller', USERS.controller);
    let socket;
    const reader = await connect('admin', USERS.admin, { createWebsocket: (url, protocols) => {
      const made = new WebSocket(url, protocols, { perMessageDeflate: false });
      made.once('upgrade', (reply) => { socket = reply.socket; });
      return made;
    } });
    let count = 0;
    let bytes = 0;
    reader.on('message', (_, payload) => { bytes += payload.length; count++; });
    await reader.subscribeAsync('flt/v1/main/ui/digest/+', { qos: 0 });
    socket.pause();
    const payload = Buffer.alloc(50000, 7); // 25 MB: far more than the kernel's buffers and the server's 1 MiB
    for (let i = 0; i < 500; i++) await sender.publishAsync(`flt/v1/main/ui/digest/${i % 7}`, payload, { qos: 1 });
    await until('two clients', async () => JSON.parse((await get('/healthz')).body).clients === 2); // those of the test before are gone
    assert.ok(count < 500, 'the reader is slower than the broker');
    socket.resume();
    await until('all of it', () => count === 500);
    assert.equal(bytes, 500 * payload.length);
    await Promise.all([ended(sender), ended(reader)]);
  });

  await tap.test('a flood of bytes that are no MQTT ends that client only', async () => {
    const socket = new WebSocket(`${rig.url.replace('http', 'ws')}/mqtt`, 'mqtt');
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 73) & 255)));
    await closed;
    const text = new WebSocket(`${rig.url.replace('http', 'ws')}/mqtt`, 'mqtt');
    const code = new Promise((resolve) => text.once('close', resolve));
    await new Promise((resolve) => text.once('open', resolve));
    text.send('text is not MQTT');
    assert.equal(await code, 1003);
    assert.equal((await get('/healthz')).status, 200);
  });

  await tap.test('when the browser goes without a word, the broker tells its will', async () => {
    const watcher = await connect('admin', USERS.admin);
    const wills = [];
    watcher.on('message', (_, payload) => wills.push(payload.toString()));
    await watcher.subscribeAsync('flt/v1/main/u/trader/#', { qos: 1 });
    const client = await connect('trader', USERS.trader, { will: { topic: 'flt/v1/main/u/trader/sig/gone', payload: 'lost', qos: 1 } });
    client.on('close', () => {});
    client.stream.destroy();
    await until('the will', () => wills.includes('lost'));
    await ended(watcher);
    await until('all clients gone', async () => JSON.parse((await get('/healthz')).body).clients === 0);
  });

  await tap.test('without the broker health is bad and clients are turned away, and all is well when it is back', async () => {
    await rig.end(rig.broker);
    const reply = await until('a bad health', async () => { const now = await get('/healthz'); return now.status === 503 && now; });
    assert.equal(JSON.parse(reply.body).broker, 'unreachable');
    await assert.rejects(connect('admin', USERS.admin));
    await rig.startBroker();
    await until('a good health', async () => (await get('/healthz')).status === 200);
    await ended(await connect('admin', USERS.admin));
  });

  await tap.test('it ends cleanly on SIGTERM with a client still there', async () => {
    const client = await connect('admin', USERS.admin);
    client.on('close', () => {});
    assert.equal(await rig.end(rig.dashboard), 0);
    client.end(true);
  });

  await tap.test('with a certificate the page and the bridge come over TLS', async () => {
    const { execFileSync } = await import('node:child_process');
    const [key, cert] = [`${rig.dir}/tls.key`, `${rig.dir}/tls.pem`];
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost'], { stdio: 'ignore' });
    await rig.startDashboard(process.argv[2], { tls_key: key, tls_cert: cert }, 'dashboard-tls');
    const https = await import('node:https');
    const status = await new Promise((resolve, reject) => https.get(`https://127.0.0.1:${rig.port}/healthz`, { rejectUnauthorized: false, agent: false }, (reply) => { reply.resume(); resolve(reply.statusCode); }).on('error', reject));
    assert.equal(status, 200);
    const client = mqtt.connect(`wss://127.0.0.1:${rig.port}/mqtt`, { protocolVersion: 5, username: 'admin', password: USERS.admin, reconnectPeriod: 0, rejectUnauthorized: false, connectTimeout: 60000 });
    await new Promise((resolve, reject) => { client.once('connect', resolve); client.once('error', reject); });
    await ended(client);
    assert.equal(await rig.end(rig.dashboard), 0);
  });

  await tap.test('beyond loopback it wants TLS or allow_remote, and says which', async () => {
    const fs = await import('node:fs');
    const { execFileSync } = await import('node:child_process');
    const refuse = (config) => {
      fs.writeFileSync(`${rig.dir}/bad.json`, JSON.stringify({ tenant: 'main', mqtt_socket: rig.socket, ...config }));
      try {
        execFileSync(process.argv[2], ['--config', `${rig.dir}/bad.json`], { stdio: 'pipe', timeout: 60000 });
      } catch (error) { return `${error.status} ${error.stderr}`; }
      return 'it started';
    };
    assert.match(refuse({ listen: '0.0.0.0:0' }), /listen: .*\n.*tls_cert/);
    assert.match(refuse({ listen: 'nonsense' }), /no address and port/);
    assert.match(refuse({ listen: '127.0.0.1:0', tls_cert: '/none.pem', tls_key: '/none.key' }), /tls_cert: cannot read/);
    assert.match(refuse({ listen: '127.0.0.1:0', lissten: 1 }), /lissten/);
  });
} finally {
  await rig.stop();
}
tap.done();
