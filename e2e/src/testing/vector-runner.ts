// Stands in for vitest in a page: enough of it to run the vector tests of packages/mls as they are. See mls-vectors.e2e.ts.

/** What became of one test. */
export interface TestOutcome {
  readonly title: string;
  readonly failure: string | undefined;
}

type Body = () => unknown;
interface Register {
  (title: string, second: unknown, third?: Body): void;
  skipIf(isSkipped: boolean): Register;
  each(cases: readonly (readonly unknown[])[]): (title: string, body: (...values: unknown[]) => unknown) => void;
}

const registered: { readonly title: string; readonly body: Body }[] = [];
let skipped = 0;
let path: string[] = [];

function registerTest(title: string, second: unknown, third?: Body): void {
  // A test's body is its last argument; options may stand before it.
  registered.push({ title: [...path, title].join(" > "), body: third ?? (second as Body) });
}

function registerEach(cases: readonly (readonly unknown[])[]): (title: string, body: (...values: unknown[]) => unknown) => void {
  return (title, body) => {
    for (const values of cases) registerTest(`${title} (${String(values[0])})`, () => body(...values));
  };
}

/** Replaces vitest's `it`. */
export const it: Register = Object.assign(registerTest, {
  each: registerEach,
  skipIf: (isSkipped: boolean): Register => (isSkipped ? Object.assign(() => void skipped++, { skipIf: it.skipIf, each: it.each }) : it),
});
/** Replaces vitest's `test`. */
export const test: Register = it;

function group(title: string, second: unknown, third?: Body): void {
  path = [...path, title];
  (third ?? (second as Body))();
  path = path.slice(0, -1);
}

/** Replaces vitest's `describe`. */
export const describe: Register = Object.assign(group, {
  each: registerEach,
  skipIf: (isSkipped: boolean): Register =>
    isSkipped ? Object.assign(() => void skipped++, { skipIf: describe.skipIf, each: describe.each }) : describe,
});

function show(value: unknown): string {
  return value instanceof Uint8Array ? `bytes ${Array.from(value, (byte) => byte.toString(16).padStart(2, "0")).join("")}` : String(value);
}

function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return a instanceof Uint8Array && b instanceof Uint8Array && a.length === b.length && a.every((byte, i) => byte === b[i]);
  }
  if (a instanceof Map && b instanceof Map)
    return a.size === b.size && [...a].every(([key, value]) => b.has(key) && isEqual(value, b.get(key)));
  if (a instanceof Set && b instanceof Set) return a.size === b.size && [...a].every((value) => b.has(value));
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...keys].every((key) => isEqual(Reflect.get(a, key), Reflect.get(b, key)));
}

function matches(actual: unknown, expected: object): boolean {
  return Object.entries(expected).every(
    ([key, value]) => typeof actual === "object" && actual !== null && isEqual(Reflect.get(actual, key), value),
  );
}

interface Assertions {
  toBe(expected: unknown): void;
  toEqual(expected: unknown): void;
  toBeGreaterThan(bound: number): void;
  readonly rejects: { toMatchObject(expected: object): Promise<void> };
}

/** Replaces vitest's `expect`, for the matchers that the vector tests use. */
export function expect(actual: unknown, what?: string): Assertions {
  const require = (isMet: boolean, text: string): void => {
    if (!isMet) throw new Error(`${what === undefined ? "" : `${what}: `}${text}`);
  };
  return {
    toBe: (expected) => require(Object.is(actual, expected), `${show(actual)} is not ${show(expected)}`),
    toEqual: (expected) => require(isEqual(actual, expected), `${show(actual)} does not equal ${show(expected)}`),
    toBeGreaterThan: (bound) => require(typeof actual === "number" && actual > bound, `${show(actual)} is not greater than ${bound}`),
    rejects: {
      async toMatchObject(expected) {
        let thrown: unknown;
        try {
          await actual;
        } catch (error) {
          thrown = error;
        }
        require(matches(thrown, expected), `${show(thrown)} is not the expected error`);
      },
    },
  };
}

/** Every test, or only each `stride`th. */
async function runAll(stride: number): Promise<{ outcomes: TestOutcome[]; skipped: number }> {
  const outcomes: TestOutcome[] = [];
  for (const { title, body } of registered.filter((_, at) => at % stride === 0)) {
    let failure: string | undefined;
    try {
      await body();
    } catch (error) {
      failure = String(error);
    }
    outcomes.push({ title, failure });
  }
  return { outcomes, skipped };
}

declare global {
  // Set by the page once all tests are registered; called by the test that opened it.
  var vectorTests: { runAll(stride: number): Promise<{ outcomes: TestOutcome[]; skipped: number }> };
}
globalThis.vectorTests = { runAll };
