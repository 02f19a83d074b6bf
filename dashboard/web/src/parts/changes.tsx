// What differs between two generations of a bot: old and new, told apart by sign and words, not by colour alone.
import type { VNode } from 'preact';
import { t } from '../i18n/index.ts';
import { visible } from '../lib/text.ts';
import type { SpecChange } from '../types.ts';

export const Changes = ({ rows }: { rows: readonly SpecChange[] }): VNode => (rows.length === 0 ? <p class="dim">{t('audit.noChanges')}</p> : (
  <table class="changes"><thead><tr><th>{t('col.key')}</th><th>{t('col.old')}</th><th>{t('col.new')}</th></tr></thead>
    <tbody>{rows.map((row) => (
      <tr key={row.path}><td class="mono">{row.path}</td><td class="mono gone">{row.old === undefined ? '' : <del>− {visible(row.old, 400)}</del>}</td><td class="mono come">{row.new === undefined ? '' : <ins>+ {visible(row.new, 400)}</ins>}</td></tr>))}</tbody></table>
));
