/** What a log says of an error: what kind it is, where it happened and what was behind it. */
export interface Cause {
  readonly name: string;
  /** The system's or a library's word for it, such as `ENOSPC`; absent where there is none. */
  readonly code?: string;
  /** SQLite's fixed words for its code; absent where there are none. */
  readonly words?: string;
  /** Places in the code. */
  readonly stack: readonly string[];
  readonly cause?: Cause;
}

/** How far causes are followed: an error may be its own. */
const maxDepth = 4;
const maxPlaces = 20;
/** What codes look like; anything else may be what a peer sent. */
const codeShape = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
/** What SQLite's words look like, such as "SQL logic error". */
const wordsShape = /^[A-Za-z][A-Za-z ,'/()-]{0,79}$/;

/** An error without its message, which may hold what a peer sent, names or paths. */
export function causeOf(error: unknown, depth: number = 1): Cause {
  if (!(error instanceof Error)) return { name: "unknown", stack: [] };
  const stack = (error.stack ?? "").split("\n").filter((line) => line.trimStart().startsWith("at "));
  const name = codeShape.test(error.name) ? error.name : "Error";
  const code = codeOf(error);
  const words: unknown = Reflect.get(error, "errstr");
  const cause = error.cause === undefined || depth === maxDepth ? undefined : causeOf(error.cause, depth + 1);
  return {
    name,
    ...(code === undefined ? {} : { code }),
    ...(typeof words === "string" && wordsShape.test(words) ? { words } : {}),
    stack: stack.slice(0, maxPlaces).map((line) => line.trim()),
    ...(cause === undefined ? {} : { cause }),
  };
}

/** The system's code; SQLite's number where there is one, which says more than the code that all its errors share. */
function codeOf(error: Error): string | undefined {
  const number: unknown = Reflect.get(error, "errcode");
  if (typeof number === "number" && Number.isSafeInteger(number)) return `SQLITE_${number}`;
  const code: unknown = Reflect.get(error, "code");
  return typeof code === "string" && codeShape.test(code) ? code : undefined;
}
