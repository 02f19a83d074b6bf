// The fleet table's filter, the same language as `flotilla bot ls -l` (controller/cli/filter.h has its
// grammar); tests/vectors/filter.json holds both to the same answers.
import { parse } from './dec.ts';

export interface Filterable {
  name: string; node: string; strategy: string; instrument: string; phase: string; mode: string;
  account?: string; venue?: string; run?: string; reason?: string;
  equity?: string; realised?: string; position?: string; price?: string; fills?: string; orders?: string;
  age?: string; // ms
}

const KEYS: Record<string, keyof Filterable> = {
  bot: 'name', name: 'name', node: 'node', strategy: 'strategy', pair: 'instrument', instrument: 'instrument',
  state: 'phase', phase: 'phase', account: 'account', venue: 'venue', mode: 'mode', run: 'run', reason: 'reason',
  pnl: 'equity', equity: 'equity', realised: 'realised', position: 'position', price: 'price', fills: 'fills',
  orders: 'orders', age: 'age',
};
const NUMBERS: ReadonlySet<keyof Filterable> = new Set(['equity', 'realised', 'position', 'price', 'fills', 'orders', 'age']);
const WORD_FIELDS = ['name', 'node', 'strategy', 'instrument', 'phase'] as const;
const UNITS: Record<string, number> = { '': 1000, ms: 1, s: 1000, m: 60000, h: 3600000 };

interface Word { text: string; marks: string } // a mark for each character: q quoted, | a bar between values, . plain
interface Term { negated: boolean; field: keyof Filterable | null; op: string; values: string[] }

function words(query: string): Word[] {
  const found: Word[] = [];
  let word: Word = { text: '', marks: '' };
  let quoted = false;
  const end = (): void => { if (word.text) found.push(word); word = { text: '', marks: '' }; };
  for (const char of query.toLowerCase()) {
    if (char === '"') quoted = !quoted;
    else if (!quoted && /[\s,]/.test(char)) end();
    else word = { text: word.text + char, marks: word.marks + (quoted ? 'q' : char === '|' ? '|' : '.').repeat(char.length) };
  }
  end();
  return found;
}

function term(word: Word): Term {
  let { text, marks } = word;
  let negated = text.length > 1 && (text[0] === '!' || text[0] === '-');
  if (negated) [text, marks] = [text.slice(1), marks.slice(1)];
  const found = /^([^:=~<>!]+)(!=|>=|<=|==|[><=:~])/.exec(text);
  const field = found && marks[0] !== 'q' ? KEYS[found[1]!] ?? null : null; // an unknown key is a word while it is typed
  const op = field ? found![2]! : ':';
  if (field) [text, marks] = [text.slice(found![0].length), marks.slice(found![0].length)];
  if (op === '!=') negated = !negated;
  const values = [''];
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '|' && marks[i] === '|') values.push('');
    else values.push((values.pop() ?? '') + text[i]);
  }
  return { negated, field, op: op === '~' ? ':' : op === '!=' || op === '==' ? '=' : op, values };
}

function number(field: keyof Filterable, value: string): bigint | null {
  const found = field === 'age' ? /^([\d.]+)(ms|s|m|h|)$/.exec(value) : null;
  if (field !== 'age') return parse(value);
  const count = found && parse(found[1]);
  return found && count != null ? count * BigInt(UNITS[found[2]!]!) : null;
}

function holds({ field, op }: Term, value: string, row: Filterable): boolean {
  if (!field) return WORD_FIELDS.some((key) => row[key].toLowerCase().includes(value));
  const own = row[field]?.toLowerCase();
  if (!own) return false;
  if (op === ':') return own.includes(value);
  const [left, right] = NUMBERS.has(field) ? [parse(own), number(field, value)] : [null, null];
  if (op === '=') return left !== null && right !== null ? left === right : own === value;
  if (left === null || right === null) return false;
  return op === '>' ? left > right : op === '>=' ? left >= right : op === '<' ? left < right : left <= right;
}

export function compile(query: string): (row: Filterable) => boolean {
  const terms = words(query).map(term);
  return (row) => terms.every((one) => one.values.some((value) => holds(one, value, row)) !== one.negated);
}
