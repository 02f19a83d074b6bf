// The fleet table's filter: words that all must match; key:value looks at one field.
export interface Filterable { name: string; node: string; strategy: string; instrument: string; phase: string; mode: string }

const KEYS: Record<string, keyof Filterable> = {
  bot: 'name', name: 'name', node: 'node', strategy: 'strategy', pair: 'instrument', instrument: 'instrument',
  state: 'phase', phase: 'phase', mode: 'mode',
};

export function compile(query: string): (row: Filterable) => boolean {
  const tests = query.trim().toLowerCase().split(/\s+/).filter(Boolean).map((word) => {
    const at = word.indexOf(':');
    const key = at > 0 ? KEYS[word.slice(0, at)] : undefined;
    const want = key ? word.slice(at + 1) : word;
    return (row: Filterable): boolean => key
      ? row[key].toLowerCase().includes(want)
      : [row.name, row.node, row.strategy, row.instrument, row.phase].some((text) => text.toLowerCase().includes(want));
  });
  return (row) => tests.every((test) => test(row));
}
