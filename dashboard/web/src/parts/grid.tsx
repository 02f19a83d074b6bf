// A table of answers: sortable, exportable, each row a keyboard stop where it leads somewhere.
import { useState } from 'preact/hooks';
import type { ComponentChildren, VNode } from 'preact';
import { t, type Key } from '../i18n/index.ts';
import { csv, download } from '../lib/csv.ts';
import { Icon } from './icon.tsx';

export interface Col<T> {
  id: string;
  label: Key;
  text: (row: T) => string | number | undefined | null; // as exported and sorted
  cell?: (row: T) => ComponentChildren;                 // as shown; without: the text
  num?: boolean;
  cls?: string;
}
interface Props<T> {
  name: string; label: string; rows: readonly T[]; cols: Col<T>[]; rowKey: (row: T) => string | number;
  open?: (row: T) => void; none?: string; rowClass?: (row: T) => string; children?: ComponentChildren; max?: number;
}

const plain = (value: string | number | undefined | null): string => String(value ?? '');

function compare(a: string, b: string): number {
  const [left, right] = [Number(a), Number(b)];
  return a !== '' && b !== '' && Number.isFinite(left) && Number.isFinite(right) ? left - right : a.localeCompare(b, 'en', { numeric: true });
}

export function exportCsv<T>(name: string, cols: Col<T>[], rows: readonly T[]): void {
  const stamp = new Date().toISOString().slice(0, 19).replace(/[:T]/g, '-');
  download(`flotilla-${name}-${stamp}.csv`, csv([cols.map((col) => t(col.label)), ...rows.map((row) => cols.map((col) => plain(col.text(row))))]));
}

export function Grid<T>({ name, label, rows, cols, rowKey, open, none, rowClass, children, max = 500 }: Props<T>): VNode {
  const [sort, setSort] = useState<{ id: string; down: boolean } | null>(null);
  const by = sort && cols.find((col) => col.id === sort.id);
  const list = by ? [...rows].sort((a, b) => (sort.down ? -1 : 1) * compare(plain(by.text(a)), plain(by.text(b)))) : rows;
  return (
    <>
      <div class="grid-tools">{children}<span class="grow" />
        <button class="btn small" disabled={rows.length === 0} data-testid={`csv-${name}`} onClick={() => exportCsv(name, cols, list)}><Icon name="save" />CSV</button></div>
      {rows.length === 0 ? <p class="none">{none ?? t('grid.none')}</p> : (
        <div class="grid-box" tabIndex={0} role="region" aria-label={label}>
          <table class="grid" data-testid={`grid-${name}`}><caption class="sr">{label}</caption>
            <thead><tr>{cols.map((col) => {
              const on = sort?.id === col.id;
              return <th key={col.id} scope="col" class={`${col.num ? 'r' : ''} ${col.cls ?? ''}`} aria-sort={on ? (sort.down ? 'descending' : 'ascending') : 'none'}>
                <button type="button" onClick={() => setSort({ id: col.id, down: on ? !sort.down : !!col.num })}>{t(col.label)}{on && <Icon name={sort.down ? 'down' : 'up'} />}</button></th>;
            })}</tr></thead>
            <tbody>{list.slice(0, max).map((row) => (
              <tr key={rowKey(row)} class={`${open ? 'link' : ''} ${rowClass?.(row) ?? ''}`} onClick={open && ((event) => { if (!(event.target as Element).closest('a,button,input,select')) open(row); })}>
                {cols.map((col) => <td key={col.id} class={`${col.num ? 'r num' : ''} ${col.cls ?? ''}`}>{col.cell ? col.cell(row) : plain(col.text(row))}</td>)}</tr>))}</tbody>
          </table></div>)}
      {list.length > max && <p class="none">{t('grid.more', { shown: max, n: list.length })}</p>}
    </>
  );
}
