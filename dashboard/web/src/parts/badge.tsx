import type { VNode } from 'preact';
import { t, word } from '../i18n/index.ts';
import { dateTime, NONE } from '../lib/format.ts';
import { toldText } from '../told.ts';
import type { Phase } from '../types.ts';

const SHAPE: Record<Phase | 'unknown', string> = { // never by colour alone
  running: '●', paused: '❚❚', error: '▲', waiting: '◔', recovering: '◑', stopping: '◐', stopped: '■', flattening: '◐',
  flat: '□', unknown: '○',
};

export function PhaseBadge({ phase, note, lost }: { phase: Phase | undefined; note?: string; lost?: boolean }): VNode {
  const shown = phase ?? 'unknown';
  if (lost) return <span class="badge ph-lost" title={t('fleet.lost', { phase: word('phase', shown) })}><span class="shape" aria-hidden="true">▲</span>{t('nodes.lost')}</span>;
  return (
    <span class={`badge ph-${shown}`} title={note && toldText(note)}>
      <span class="shape" aria-hidden="true">{SHAPE[shown]}</span>{word('phase', shown)}
    </span>
  );
}

export const ModeTag = ({ mode }: { mode: string | undefined }): VNode =>
  <span class={`tag mode-${mode ?? ''}`}>{word('mode', mode)}</span>;

/** Buy or sell by shape, word and colour. */
export const Side = ({ name }: { name: 'buy' | 'sell' }): VNode => <span class={`side-${name}`}><span aria-hidden="true">{name === 'buy' ? '▲' : '▼'}</span> {word('side', name)}</span>;

/** A time; on a phone without the year. */
export const When = ({ ms }: { ms: number | undefined }): VNode => (ms ? <><span class="m-hide">{dateTime(ms).slice(0, 5)}</span>{dateTime(ms).slice(5)}</> : <>{NONE}</>);
