// The modules of Node that the tests use, so that its types need not be installed.
declare module 'node:test' { export function test(name: string, run: () => void | Promise<void>): void }
declare module 'node:assert/strict' {
  const assert: { equal(a: unknown, b: unknown, message?: string): void; deepEqual(a: unknown, b: unknown, message?: string): void; ok(value: unknown, message?: string): void };
  export default assert;
}
declare module 'node:fs' { export function readFileSync(path: string, encoding: string): string; export function readdirSync(path: string): string[] }
declare const process: { env: Record<string, string | undefined> };
