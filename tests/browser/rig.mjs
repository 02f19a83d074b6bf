// What the tests stand on: a temporary folder, a real mosquitto, the dashboard server, headless Chromium.
// Everything that is started is stopped, by its own process; ports are free ones.
import { spawn, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const SBIN = '/usr/sbin:/sbin';
export const USERS = { controller: 'c-secret-1', admin: 'a-secret-1', trader: 't-secret-1', viewer: 'v-secret-1' };

/** Waits until `probe` gives something; the last error says why not. Deadlines are for what never comes. */
export async function until(what, probe, timeoutMs = 60000) {
  const end = Date.now() + timeoutMs;
  let last;
  for (;;) {
    try {
      const value = await probe();
      if (value) return value;
    } catch (error) { last = error; }
    if (Date.now() > end) throw new Error(`${what}: not within ${timeoutMs} ms${last ? ` (${last.message})` : ''}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** A port that the system gives to no outgoing connection, `flotilla up` to no daemon (from 10000), and that browsers do
 *  not refuse (up to 6697, and 10080): nobody gets it between our look and our use. */
export async function freePort() {
  for (;;) {
    const port = 7000 + Math.floor(Math.random() * 3000);
    const free = await new Promise((resolve) => {
      const server = net.createServer();
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

const canConnect = (where) => new Promise((resolve) => {
  const socket = net.connect(where, () => { socket.destroy(); resolve(true); });
  socket.on('error', () => resolve(false));
});

export class Rig {
  constructor() {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'fltdash-'));
    fs.chmodSync(this.dir, 0o700);
    this.socket = path.join(this.dir, 'm.sock');
    this.children = [];
  }

  child(name, command, args) {
    const log = path.join(this.dir, `${name}.log`);
    const fd = fs.openSync(log, 'a');
    const process_ = spawn(command, args, { stdio: ['ignore', fd, fd], env: { ...process.env, PATH: `${process.env.PATH}:${SBIN}` } });
    fs.closeSync(fd);
    const gone = new Promise((resolve) => {
      process_.once('exit', (code, signal) => resolve(code ?? signal));
      process_.once('error', (error) => resolve(error.message)); // it could not be started
    });
    const entry = { name, process: process_, log, gone };
    this.children.push(entry);
    return entry;
  }

  async startBroker() {
    const passwords = path.join(this.dir, 'passwords');
    fs.writeFileSync(passwords, '', { mode: 0o600 });
    for (const [user, password] of Object.entries(USERS)) execFileSync('mosquitto_passwd', ['-b', passwords, user, password], { stdio: 'ignore' });
    const rights = path.join(this.dir, 'acl');
    fs.writeFileSync(rights, `user controller\ntopic readwrite #\n${['admin', 'trader', 'viewer'].map((user) =>
      `user ${user}\ntopic read flt/v1/main/#\ntopic write flt/v1/main/u/${user}/#\n`).join('')}`, { mode: 0o600 });
    const conf = path.join(this.dir, 'mosquitto.conf');
    fs.writeFileSync(conf, `listener 0 ${this.socket}\nallow_anonymous false\npassword_file ${passwords}\nacl_file ${rights}\n`
      + `set_tcp_nodelay true\nmax_queued_messages 200000\npersistence false\n${process.getuid() === 0 ? 'user root\n' : ''}`);
    this.broker = this.child('mosquitto', 'mosquitto', ['-c', conf]);
    await until('mosquitto', () => canConnect({ path: this.socket }));
    return this.broker;
  }

  async startDashboard(program, more = {}, name = 'dashboard') {
    const conf = path.join(this.dir, `${name}.json`);
    fs.writeFileSync(conf, JSON.stringify({ tenant: 'main', listen: '127.0.0.1:0', mqtt_socket: this.socket, ...more }));
    const before = fs.existsSync(path.join(this.dir, `${name}.log`)) ? fs.readFileSync(path.join(this.dir, `${name}.log`), 'utf8').length : 0; // a second start writes on
    this.dashboard = this.child(name, program, ['--config', conf]);
    let dead;
    void this.dashboard.gone.then((code) => { dead = code; });
    this.port = await until('dashboard', () => {
      const text = fs.readFileSync(this.dashboard.log, 'utf8').slice(before);
      return Number(/ev=listening .*port=(\d+)\s/.exec(text)?.[1]) || (dead === undefined ? 0 : -1);
    });
    if (this.port < 0) throw new Error(`the dashboard ended (${dead}): ${fs.readFileSync(this.dashboard.log, 'utf8').slice(before)}`);
    this.url = `http://127.0.0.1:${this.port}`;
    return this.dashboard;
  }

  async startBrowser() {
    const { chromium } = await import('playwright-core');
    this.browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true,
      args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'] });
    return this.browser;
  }

  /** SIGTERM, then SIGKILL; resolves to the exit code. */
  async end(entry) {
    if (entry.process.exitCode === null && entry.process.signalCode === null) entry.process.kill('SIGTERM');
    const timer = setTimeout(() => entry.process.kill('SIGKILL'), 60000);
    const code = await entry.gone;
    clearTimeout(timer);
    return code;
  }

  async stop() {
    await this.browser?.close().catch(() => {});
    for (const entry of this.children.reverse()) await this.end(entry);
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

/** TAP: `await tap.test(name, fn)`, then `tap.done()`. */
export class Tap {
  count = 0;
  failed = 0;

  async test(name, run) {
    this.count++;
    try {
      await run();
      console.log(`ok ${this.count} - ${name}`);
    } catch (error) {
      this.failed++;
      console.log(`not ok ${this.count} - ${name}`);
      console.log(String(error?.stack ?? error).split('\n').map((line) => `# ${line}`).join('\n'));
    }
  }

  done() {
    console.log(`1..${this.count}`);
    process.exitCode = this.failed ? 1 : 0;
  }
}

