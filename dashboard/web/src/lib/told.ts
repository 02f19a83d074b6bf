// Reads a sentence of the fleet by a table of templates (i18n/told.ts): the words in its holes are kept.

const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
const HOLES: Record<string, string> = { '%s': '(\\S+?)', '%t': '(.*?)', '%p': '([a-z]+)' };
const DEPTH = 3;

/** `word` has the page's own word for one of the wire; what has none in a %p is not that sentence. */
export function reader(table: Readonly<Record<string, string>>, word: (name: string) => string): (text: string) => string | undefined {
  const rows = Object.entries(table).map(([from, to]) => {
    const kinds = from.replaceAll('%%', '').match(/%[stp]/g) ?? [];
    const pattern = from.split(/(%[stp%])/).map((part) => (part === '%%' ? '%' : HOLES[part] ?? escape(part))).join('');
    return { from, to, kinds, exact: kinds.length === 0 && !from.includes('%'), pattern: new RegExp(`^${pattern}$`, 's') };
  }).sort((a, b) => Number(b.exact) - Number(a.exact) || b.from.length - b.kinds.length * 2 - (a.from.length - a.kinds.length * 2)); // the most particular first
  const known = new Map<string, string | undefined>();

  function read(text: string, depth: number): string | undefined {
    for (const { to, kinds, pattern } of rows) {
      const found = pattern.exec(text);
      if (!found) continue;
      const values = found.slice(1).map((value, i) => (kinds[i] === '%p' ? word(value) : kinds[i] === '%t' && depth > 0 ? read(value, depth - 1) ?? value : value));
      if (values.some((value, i) => kinds[i] === '%p' && value === found[i + 1])) continue;
      return to.replace(/%(\d)/g, (_, n: string) => values[Number(n) - 1] ?? '');
    }
    return undefined;
  }
  return (text) => {
    if (text === '') return undefined;
    if (!known.has(text)) {
      if (known.size > 500) known.clear();
      known.set(text, read(text, DEPTH));
    }
    return known.get(text);
  };
}
