// What can be done to the selected bots, with what it would do before it is done.
import { useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { runBulk, type BulkVerb } from '../bulk.ts';
import { may, online, who } from '../bus/session.ts';
import { rows, selected } from '../fleet.ts';
import { t } from '../i18n/index.ts';
import { add, parse, round, SCALE, text } from '../lib/dec.ts';
import { assets, money } from '../lib/format.ts';
import { Dialog } from './dialog.tsx';
import { Icon, type IconName } from './icon.tsx';
import type { DigestBot } from '../types.ts';

type Act = 'bot-start' | 'bot-pause' | 'bot-stop' | 'flatten';
const ACTS: { act: Act; icon: IconName; danger?: boolean }[] = [
  { act: 'bot-start', icon: 'play' }, { act: 'bot-pause', icon: 'pause' }, { act: 'bot-stop', icon: 'stop', danger: true }, { act: 'flatten', icon: 'halt', danger: true },
];

const changes = (act: Act, bot: DigestBot): boolean =>
  act === 'bot-start' ? bot.run !== 'running' : act === 'bot-pause' ? bot.run === 'running' : act === 'bot-stop' ? bot.run === 'running' || bot.run === 'paused' : bot.run !== 'flat';

/** What would happen, from the fleet as shown: how many change, their orders, positions and what those are worth. */
function effect(act: Act): { names: string[]; text: string; live: number } {
  const all = [...selected.value].map((name) => rows.get(name)?.peek().bot).filter((bot) => bot !== undefined);
  const list = all.filter((bot) => changes(act, bot));
  const sums = new Map<string, bigint>();
  let orders = 0;
  let positions = 0;
  for (const bot of list) {
    orders += bot.oo ?? 0;
    const [size, price] = [parse(bot.pos), parse(bot.px)];
    if (!size) continue;
    positions++;
    const value = price === null ? 0n : (size < 0n ? -size : size) * price / 10n ** BigInt(SCALE);
    const { quote } = assets(bot.i);
    sums.set(quote, add(sums.get(quote) ?? 0n, value) ?? 0n);
  }
  const exposure = [...sums].map(([quote, sum]) => `${money(text(round(sum, 2)), quote, false)} ${quote}`).join(' + ') || '0';
  return { names: list.map((bot) => bot.n), live: list.filter((bot) => bot.m === 'live').length, text: t(`bulk.effect.${act}`, { n: list.length, all: all.length, orders, positions, exposure }) };
}

/** A paused bot is resumed, any other is started. */
async function run(act: Act, names: string[]): Promise<void> {
  const title = t(act === 'flatten' ? 'bulk.title.flatten' : `bulk.title.${act}`);
  const verb: BulkVerb = act === 'flatten' ? 'bot-stop' : act;
  await runBulk(title, verb, names, act === 'flatten' ? { how: 'flatten' } : act === 'bot-stop' ? { how: 'cancel' } : {});
}

function Confirm({ act, close }: { act: Act; close: () => void }): VNode {
  const [now] = useState(() => effect(act));
  const title = t(act === 'flatten' ? 'bulk.title.flatten' : `bulk.title.${act}`);
  const submit = (event: Event): void => {
    event.preventDefault();
    close();
    void run(act, now.names);
  };
  return (
    <Dialog title={title} close={close} danger={act === 'bot-stop' || act === 'flatten'}>
      <form onSubmit={submit} data-testid="bulk-form">
        <p class="effect" data-testid="bulk-effect">{now.names.length === 0 ? t('bulk.none') : now.text}</p>
        {now.live > 0 && <p class="sev-warning">{t('bulk.live', { n: now.live })}</p>}
        <p class="dim small bulk-names">{now.names.slice(0, 40).join(', ')}{now.names.length > 40 ? ' …' : ''}</p>
        <pre>flotilla bot {act === 'flatten' ? 'stop --flatten' : act.slice(4)} {now.names.length > 3 ? '…' : now.names.join(' ')}</pre>
        <div class="foot"><button type="button" class="btn" onClick={close}>{t('act.cancel')}</button>
          <button class={`btn ${act === 'bot-stop' || act === 'flatten' ? 'danger solid' : 'primary'}`} disabled={now.names.length === 0} data-testid="bulk-go">{title}</button></div>
      </form></Dialog>
  );
}

export function BulkBar(): VNode {
  const [act, setAct] = useState<Act | null>(null);
  const tip = may('bot-pause') ? '' : t('cmd.needRole', { role: who.value?.role ?? '?' });
  return (
    <div class="bulk" role="group" aria-label={t('fleet.selected', { n: selected.value.size })} data-testid="bulk">
      <b class="num">{t('fleet.selected', { n: selected.value.size })}</b>
      {ACTS.map(({ act: each, icon, danger }) => (
        <button key={each} class={`btn small ${danger ? 'danger' : ''}`} title={tip} disabled={!online.value || !may('bot-pause')} data-act={each} onClick={() => setAct(each)}>
          <Icon name={icon} />{t(each === 'flatten' ? 'bulk.title.flatten' : `bulk.title.${each}`)}</button>))}
      <button class="btn small" onClick={() => { selected.value = new Set(); }}>{t('fleet.unselect')}</button>
      {act && <Confirm act={act} close={() => setAct(null)} />}
    </div>
  );
}
