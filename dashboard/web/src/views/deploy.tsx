// A bot by form: the fields come from the strategy's parameter table, faults stand beside their field.
import { effect, signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { VNode } from 'preact';
import '../style/deploy.css';
import { busy, deploy, why } from '../actions.ts';
import { reasonOf } from '../actions.ts';
import { may, online, request, tenantRoot, user, who } from '../bus/session.ts';
import {
  account, accounts, bars, choose, copy, editing, faults, form, fresh, helpOf, instruments, limits, load, nameOf, needsReal, nodes, price, problem, refused, RISK, rules, seen, set,
  shown, spec, strategies, texts, touched,
} from '../deploydata.ts';
import { fieldPath, type Fault } from '../lib/form.ts';
import { assets, decimal, NONE, placesOf } from '../lib/format.ts';
import { preview } from '../lib/preview.ts';
import { Grid } from '../parts/grid.tsx';
import { theme, updown } from '../prefs.ts';
import { t, word } from '../i18n/index.ts';
import { Icon } from '../parts/icon.tsx';
import { Failed, Skeleton } from '../parts/states.tsx';
import { go, route } from '../router.ts';
import { Told } from '../parts/told.tsx';
import type { FlotillaError, Param } from '../types.ts';

const checked = signal<string | null>(null); // the node it would run on
const tried = signal(false);
const checking = signal(false);

const say = (fault: Fault): string =>
  fault.kind === 'min' ? t('deploy.err.min', { min: fault.min }) : fault.kind === 'max' ? t('deploy.err.max', { max: fault.max }) : t(`deploy.err.${fault.kind}`);

/** The sentence under a field: what the controller said of it, else what this page sees. */
function faultOf(path: string): string | null {
  if (refused.value?.path === path) return refused.value.message;
  const fault = faults.value.get(path);
  return fault && (tried.value || touched.value.has(path)) ? say(fault) : null;
}

function Wrong({ path }: { path: string }): VNode | null {
  const text = faultOf(path);
  if (!text) return null;
  return <span class="wrong" id={`wrong-${path}`} role="alert"><Told text={text} />{refused.value?.path === path && refused.value.hint && <>{' '}<Told text={refused.value.hint} /></>}</span>;
}

const unitOf = (param: Param): string => {
  const { base, quote } = assets(form.value.instrument);
  if (param.type === 'duration') return ''; // 20s says it itself
  return param.unit === 'quote' ? quote : param.unit === 'base' ? base : param.unit ?? '';
};

function range({ min, max }: Param): string {
  if (min !== undefined && max !== undefined) return t('deploy.range', { min, max });
  return min !== undefined ? t('deploy.min', { min }) : max !== undefined ? t('deploy.max', { max }) : '';
}

interface FieldProps { param: Param; group: 'params' | 'risk'; label: string; value: string; change: (text: string) => void }

function Field({ param, group, label, value, change }: FieldProps): VNode {
  const path = `${group}.${param.name}`;
  const wrong = faultOf(path) !== null;
  const input = (text: string): void => {
    change(text);
    touched.value = new Set(touched.value).add(path);
    if (refused.value?.path === path) refused.value = null;
    checked.value = null;
  };
  const common = { name: path, 'aria-invalid': wrong, 'aria-describedby': wrong ? `wrong-${path}` : undefined };
  const options = param.type === 'bool' ? ['true', 'false'] : param.type === 'enum' ? param.choices ?? [] : null;
  const help = [helpOf(param.help), range(param), param.hot ? t('deploy.hot') : ''].filter(Boolean).join(' · ');
  return (
    <label class="field">
      <span>{label}{group === 'params' && param.default === undefined && <em class="req">{t('deploy.required')}</em>}</span>
      {options ? (
        <select {...common} value={value} onChange={(event) => input(event.currentTarget.value)}>
          {param.default === undefined && <option value="" />}
          {options.map((choice) => <option key={choice} value={choice}>{param.type === 'bool' ? t(choice === 'true' ? 'deploy.yes' : 'deploy.no') : choice}</option>)}
        </select>
      ) : (
        <span class="with-unit"><input {...common} class="num" inputMode={param.type === 'duration' ? 'text' : 'decimal'} autocomplete="off" value={value}
          placeholder={group === 'risk' ? t('deploy.optional') : ''} onInput={(event) => input(event.currentTarget.value)} /><i>{unitOf(param)}</i></span>
      )}
      <Wrong path={path} />
      {help && <span class="help">{help}</span>}
    </label>
  );
}

function Where(): VNode {
  const { name, mode, instrument, node } = form.value;
  const change = (next: Partial<typeof form.value>): void => {
    set(next);
    checked.value = null;
  };
  return (
    <section class="card part"><h2><b>2</b>{t('deploy.where')}</h2>
      <div class="fields">
        <label class="field"><span>{t('deploy.instrument')}</span>
          <input name="instrument" list="instruments" value={instrument} autocomplete="off" spellcheck={false} aria-invalid={faultOf('instrument') !== null}
            onInput={(event) => change({ instrument: event.currentTarget.value.toUpperCase().trim() })} />
          <datalist id="instruments">{instruments.value.map((row) => <option key={row.name} value={row.name} />)}</datalist><Wrong path="instrument" /></label>
        <label class="field"><span>{t('deploy.account')}</span>
          <select name="account" value={form.value.account} aria-invalid={faultOf('account') !== null} onChange={(event) => change({ account: event.currentTarget.value })}>
            {mode !== 'live' && <option value="">{t('deploy.paperAccount')}</option>}
            {accounts.value.map((row) => <option key={row.name} value={row.name}>{row.name} · {row.venue}{row.sandbox ? ` · ${t('mode.sandbox')}` : ''}</option>)}
          </select><Wrong path="account" />{accounts.value.length === 0 && <span class="help">{t('deploy.noAccounts')}</span>}</label>
        <label class="field"><span>{t('deploy.mode')}</span>
          <select name="mode" value={mode} onChange={(event) => change({ mode: event.currentTarget.value as 'live', real: false })}>
            {(['live', 'paper', 'shadow'] as const).map((each) => <option key={each} value={each}>{t(`deploy.mode.${each}`)}</option>)}
          </select><Wrong path="mode" /></label>
        <label class="field"><span>{t('deploy.node')}</span>
          <select name="node" value={node} onChange={(event) => change({ node: event.currentTarget.value })}>
            <option value="">{t('deploy.nodeAuto')}</option>
            {nodes.value.map((row) => <option key={row.node} value={row.node}>{row.node} ({row.bots}{row.capacity ? ` / ${row.capacity}` : ''})</option>)}
          </select><Wrong path="placement.node" /></label>
        <label class="field"><span>{t('deploy.name')}</span>
          <input name="name" value={name} maxLength={32} readOnly={editing.value !== null} autocomplete="off" spellcheck={false} aria-invalid={faultOf('name') !== null}
            onInput={(event) => change({ name: event.currentTarget.value })} /><Wrong path="name" /><span class="help">{t('deploy.nameHint')}</span></label>
      </div>
    </section>
  );
}

function Parameters(): VNode {
  const strategy = shown.value;
  if (!strategy) return <section class="card part"><Skeleton rows={3} /></section>;
  return (
    <section class="card part"><h2><b>3</b>{t('deploy.params')}</h2>
      <div class="fields">{strategy.params.map((param) => (
        <Field key={`${strategy.strategy} ${param.name}`} group="params" param={param} label={nameOf(param.name)} value={texts.value[param.name] ?? ''}
          change={(text) => { texts.value = { ...texts.value, [param.name]: text }; }} />))}</div>
    </section>
  );
}

const Limits = (): VNode => (
  <section class="card part"><h2><b>4</b>{t('deploy.risk')}</h2><p class="dim small">{t('deploy.riskHint')}</p>
    <div class="fields">{RISK.map((param) => (
      <Field key={param.name} group="risk" param={param} label={word('risk', param.name)} value={limits.value[param.name] ?? ''}
        change={(text) => { limits.value = { ...limits.value, [param.name]: text }; }} />))}</div>
  </section>
);

function onRefused(error: FlotillaError): void {
  const path = fieldPath(error.field);
  refused.value = { path, message: why(error), hint: error.hint ?? '' };
  const field = document.querySelector<HTMLElement>(`[name="${CSS.escape(path)}"]`);
  field?.focus();
  field?.scrollIntoView({ block: 'center' });
}

/** True when the form has nothing this page can see is wrong; else goes to the first fault. */
function complete(): boolean {
  tried.value = true;
  const first = faults.value.keys().next();
  if (first.done) return true;
  document.querySelector<HTMLElement>(`[name="${CSS.escape(first.value)}"]`)?.focus();
  return false;
}

async function tryOut(): Promise<void> {
  if (!complete()) return;
  checking.value = true;
  checked.value = null;
  refused.value = null;
  const answer = await request('bot-deploy', { bot: spec.value, dry_run: true, ...(needsReal.value ? { live: form.value.real } : {}) });
  checking.value = false;
  if (answer.kind === 'ok') checked.value = answer.result.node;
  else if (answer.kind === 'error') onRefused(answer.error);
  else refused.value = { path: '', message: reasonOf(answer), hint: '' };
}

async function send(event: Event): Promise<void> {
  event.preventDefault();
  if (!complete()) return;
  refused.value = null;
  const bot = spec.value;
  const answer = await deploy({ bot, start: true, ...(needsReal.value ? { live: form.value.real } : {}) });
  if (answer.kind === 'error') onRefused(answer.error);
  if (answer.kind !== 'ok') return;
  fresh();
  tried.value = false;
  go(`bot/${bot.name}`);
}

const quoted = (text: string): string => (/^[\w.:,/@%+=-]+$/.test(text) ? text : `'${text.replace(/'/g, `'\\''`)}'`);

/** The same on one line of a shell. */
function command(): string {
  const { name, strategy, instrument, mode, node } = form.value;
  const flags: [string, string][] = [['name', name], ['strategy', strategy], ['instrument', instrument], ['mode', mode]];
  if (form.value.account) flags.push(['account', form.value.account]);
  if (node) flags.push(['node', node]);
  for (const [key, value] of Object.entries(spec.value.params ?? {})) flags.push(['param', `${key}=${String(value)}`]);
  for (const [key, value] of Object.entries(spec.value.risk ?? {})) flags.push(['risk', `${key}=${String(value)}`]);
  return `flotilla bot deploy ${flags.map(([key, value]) => `--${key} ${quoted(value)}`).join(' ')}${needsReal.value ? ' --live' : ''}`;
}

/** The same as the message that this page sends. */
function message(): string {
  const root = `${tenantRoot.value}u/${user.value ?? 'USER'}`;
  return `mosquitto_rr -V 5 -t ${root}/req/bot-deploy -e ${root}/res/1 -m '${JSON.stringify({ v: 1, id: '01J00000000000000000000000', ts_ms: 0, src: `user/${user.value ?? 'USER'}`, seq: 1, args: { bot: spec.value, start: true } })}'`;
}

function Preview(): VNode {
  const place = useRef<HTMLDivElement>(null);
  const [why, setWhy] = useState('');
  useEffect(() => {
    let end = (): void => {};
    let here = true;
    import('../chart/chart.ts').then(({ createPriceChart }) => {
      if (!here || !place.current) return;
      const chart = createPriceChart(place.current);
      const ends = [
        effect(() => { void theme.value; void updown.value; chart.recolor(); }),
        effect(() => { chart.setBars([...bars.value], Math.max(2, placesOf(price.value ?? ''))); if (bars.value.length) chart.fit(); }),
        effect(() => {
          const levels = preview(form.value.strategy, texts.value, Number(price.value)) ?? [];
          chart.setOrders(levels.map((level) => ({ price: level.price, buy: level.buy, label: `${word('side', level.buy ? 'buy' : 'sell')} ${level.quote ? decimal(level.quote.toFixed(2), { max: 2 }) : ''}` })), Number(price.value), true);
        }),
      ];
      end = () => {
        for (const stop of ends) stop();
        chart.destroy();
      };
    }, (error: unknown) => setWhy(String(error)));
    return () => {
      here = false;
      end();
    };
  }, []);
  const levels = preview(form.value.strategy, texts.value, Number(price.value));
  const { quote } = assets(form.value.instrument);
  return (
    <section class="card part preview"><h2>{t('deploy.preview')} <span class="dim small">{levels === null ? t('deploy.noPreview') : t('deploy.levels', { buys: levels.filter((level) => level.buy).length, sells: levels.filter((level) => !level.buy).length })}</span></h2>
      <div class="chart" role="group" aria-label={t('deploy.preview')} data-testid="preview" data-levels={levels?.length ?? 0} data-bars={bars.value.length}><div class="canvas" ref={place} />{why && <p class="none">{why}</p>}</div>
      <p class="credit"><a href="https://www.tradingview.com" target="_blank" rel="noopener noreferrer">Lightweight Charts™ © TradingView</a></p>
      {levels && levels.length > 0 && <details><summary class="dim small">{t('bot.table')}</summary><Grid name="levels" label={t('deploy.preview')} rows={[...levels].sort((a, b) => b.price - a.price)} rowKey={(row) => `${row.price} ${row.buy}`}
        cols={[{ id: 'side', label: 'col.side', text: (row) => (row.buy ? 'buy' : 'sell'), cell: (row) => <span class={row.buy ? 'side-buy' : 'side-sell'}>{word('side', row.buy ? 'buy' : 'sell')}</span> },
          { id: 'price', label: 'col.price', num: true, text: (row) => row.price.toFixed(8), cell: (row) => decimal(row.price.toFixed(8), { places: places(rules.value.tick) }) },
          { id: 'value', label: 'col.value', num: true, text: (row) => row.quote, cell: (row) => `${decimal(row.quote.toFixed(2))} ${quote}` }]} /></details>}
    </section>
  );
}

const places = (tick: number): number => Math.max(0, Math.min(8, Math.round(-Math.log10(tick || 0.01))));

const Checks = (): VNode => (
  <ul class="checks" data-testid="checks">{seen.value.map((check) => (
    <li key={check.id} class={check.ok ? 'good' : 'sev-warning'}><Icon name={check.ok ? 'check' : 'alert'} /><span>{t(`deploy.see.${check.id}.${check.ok ? 'ok' : 'no'}`, check.values)}</span></li>))}</ul>
);

function Review(): VNode {
  const { quote } = assets(form.value.instrument);
  const general = refused.value && !document.querySelector(`[name="${CSS.escape(refused.value.path)}"]`) ? refused.value : null;
  const working = busy.value.has('deploy');
  const allowed = may('bot-deploy');
  return (
    <aside class="card review">
      <h2>{t('deploy.review')}</h2>
      <div class="now"><span class="dim">{t('deploy.price')}<br /><span class="small">{form.value.instrument}</span></span><b class="num">{price.value === null ? NONE : decimal(price.value, { places: places(rules.value.tick) })} <small class="dim">{price.value ? quote : ''}</small></b></div>
      {needsReal.value && <label class="real"><span>{t('deploy.realMoney')}</span><span class="check-row"><input type="checkbox" checked={form.value.real} onChange={(event) => set({ real: event.currentTarget.checked })} />{t('deploy.realMoneyOk', { account: account.value?.name ?? '' })}</span></label>}
      {refused.value && <div class="problem" role="alert" data-testid="refused"><Icon name="alert" /><div><p>{general ? <Told text={refused.value.message} /> : t('deploy.fix')}</p>
        {general ? refused.value.hint && <p class="dim"><Told text={refused.value.hint} /></p> : <p class="mono">{refused.value.path}</p>}</div></div>}
      {checked.value && <p class="good" data-testid="checked"><Icon name="check" />{t('deploy.checked', { node: checked.value })}</p>}
      <div class="go"><button type="button" class="btn" data-testid="check" disabled={!online.value || checking.value || !allowed} onClick={() => void tryOut()}>{checking.value && <span class="spinner" />}{t('deploy.check')}</button>
        <button class="btn primary" data-testid="deploy" title={allowed ? '' : t('cmd.needRole', { role: who.value?.role ?? '?' })} disabled={!online.value || working || !allowed || (needsReal.value && !form.value.real)}>{working && <span class="spinner" />}{t(editing.value ? 'deploy.change' : 'deploy.go')}</button></div>
      <Checks />
      <h3>{t('deploy.document')}</h3><pre tabIndex={0} role="region" aria-label={t('deploy.document')}>{JSON.stringify(spec.value, null, 2)}</pre>
      <h3>{t('deploy.command')}</h3><pre class="wrap" tabIndex={0} role="region" aria-label={t('deploy.command')}>{command()}</pre>
      <h3>{t('deploy.message')}</h3><pre class="wrap" tabIndex={0} role="region" aria-label={t('deploy.message')}>{message()}</pre>
    </aside>
  );
}

export default function Deploy(): VNode {
  const [what, bot] = route.value.args;
  useEffect(() => {
    checked.value = null;
    fresh();
    return online.subscribe((is) => {
      if (is) void load().then(() => (bot && (what === 'edit' || what === 'clone') ? copy(bot, what === 'edit') : undefined));
    });
  }, [what, bot]);
  if (!strategies.value && problem.value) return <Failed why={problem.value} retry={() => void load()} />;
  if (!strategies.value) return online.value ? <Skeleton rows={7} /> : <Failed why={t('state.offline')} />;
  return (
    <form class="deploy" onSubmit={send} noValidate data-testid="deploy-form">
      <div class="page">
        <h1>{editing.value ? t('deploy.editTitle', { bot: editing.value }) : t('deploy.title')}</h1>
        <section class="card part"><h2><b>1</b>{t('deploy.strategy')}</h2>
          <div class="strategies">{strategies.value.map((row) => (
            <button type="button" key={row.strategy} aria-pressed={form.value.strategy === row.strategy} onClick={() => { checked.value = null; void choose(row.strategy); }}><b>{row.strategy}</b><span>{helpOf(row.help)}</span></button>))}</div></section>
        <Where /><Parameters /><Preview /><Limits />
      </div>
      <Review />
    </form>
  );
}
