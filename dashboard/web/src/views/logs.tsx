// The last lines of the controller, a node or a bot, followed until paused.
import { useState } from 'preact/hooks';
import type { VNode } from 'preact';
import { useAsk } from '../ask.ts';
import { rows } from '../fleet.ts';
import { t } from '../i18n/index.ts';
import { csv, download } from '../lib/csv.ts';
import { time } from '../lib/format.ts';
import { visible } from '../lib/text.ts';
import { Icon } from '../parts/icon.tsx';
import { Asked, Fresh } from '../parts/states.tsx';
import { go, route } from '../router.ts';
import type { LogLine } from '../types.ts';

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;
const asText = (line: LogLine): string => `${new Date(line.ts_ms).toISOString()} ${line.level} ${line.source} ${line.bot ?? ''} ${line.event} ${visible(line.text)}`;

export default function Logs(): VNode {
  const [kind = '', name = ''] = route.value.args;
  const [level, setLevel] = useState<(typeof LEVELS)[number]>('info');
  const [text, setText] = useState('');
  const [follow, setFollow] = useState(true);
  const args = { level, limit: 300, ...(text ? { text } : {}), ...(kind === 'bot' ? { bot: name } : kind === 'node' ? { node: name } : {}) };
  const asked = useAsk('log-ls', args, follow ? 2000 : 0);
  const nodes = [...new Set([...rows.values()].map((row) => row.peek().bot.nd))].sort();
  const bots = [...rows.keys()].sort();
  const lines = asked.data.value?.items ?? [];
  return (
    <div class="page"><div class="head"><h1>{t('nav.logs')}</h1><Fresh of={asked} /></div>
      <section class="card"><div class="grid-tools">
        <label class="inline">{t('logs.of')}<select value={kind && `${kind}/${name}`} onChange={(event) => go(`logs${event.currentTarget.value ? `/${event.currentTarget.value}` : ''}`)}>
          <option value="">{t('logs.controller')}</option>
          <optgroup label={t('nav.nodes')}>{nodes.map((each) => <option key={each} value={`node/${each}`}>{each}</option>)}</optgroup>
          <optgroup label={t('nav.fleet')}>{bots.slice(0, 1000).map((each) => <option key={each} value={`bot/${each}`}>{each}</option>)}</optgroup></select></label>
        <label class="inline">{t('logs.level')}<select value={level} onChange={(event) => setLevel(event.currentTarget.value as 'info')}>{LEVELS.map((each) => <option key={each}>{each}</option>)}</select></label>
        <label class="search"><Icon name="search" /><span class="sr">{t('logs.search')}</span><input type="search" placeholder={t('logs.search')} value={text} onChange={(event) => setText(event.currentTarget.value)} /></label>
        <button class="btn small" aria-pressed={follow} onClick={() => setFollow(!follow)}><Icon name={follow ? 'pause' : 'play'} />{t(follow ? 'logs.pause' : 'logs.follow')}</button>
        <button class="btn small" disabled={!lines.length} onClick={() => void navigator.clipboard?.writeText(lines.map(asText).join('\n'))}><Icon name="copy" />{t('act.copy')}</button>
        <button class="btn small" disabled={!lines.length} data-testid="csv-logs" onClick={() => download('flotilla-log.csv', csv(lines.map((line) => [new Date(line.ts_ms).toISOString(), line.level, line.source, line.bot ?? '', line.event, line.text])))}><Icon name="save" />CSV</button></div>
        <Asked of={asked} verb="log-ls">{(data) => (data.items.length === 0 ? <p class="none">{t('bot.noLog')}</p> : (
          <div class="grid-box tall" tabIndex={0} role="region" aria-label={t('nav.logs')}><table class="log" data-testid="grid-logs"><tbody>{[...data.items].reverse().map((line, i) => (
            <tr key={data.items.length - i}><td class="dim num">{time(line.ts_ms)}</td><td class={`lv-${line.level}`}>{line.level}</td><td class="m-hide">{visible(line.event, 80)}</td><td class="dim m-hide">{line.bot ?? line.source}</td><td><b class="m-only">{visible(line.event, 80)}</b>{visible(line.text)}</td></tr>))}</tbody></table></div>))}</Asked></section></div>
  );
}
