/** What `JSON.stringify` takes. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** JSON of which a list may come bit by bit: its elements are written as they come. */
export type Streamed = Json | AsyncIterable<Streamed> | { readonly [key: string]: Streamed };

/** Bytes after which a piece is handed on. */
const pieceBytes = 65_536;

/** A value as UTF-8 JSON, in pieces of about 64 KiB: each element of a list that comes bit by bit on a line of its own. */
export async function* encodeStreamed(value: Streamed): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let waiting: string[] = [];
  let length = 0;
  for await (const text of write(value)) {
    waiting.push(text);
    length += text.length;
    if (length < pieceBytes) continue;
    yield encoder.encode(waiting.join(""));
    [waiting, length] = [[], 0];
  }
  waiting.push("\n");
  yield encoder.encode(waiting.join(""));
}

async function* write(value: Streamed): AsyncGenerator<string> {
  if (isStream(value)) yield* writeList(value);
  else if (hasStream(value)) yield* writeObject(value);
  else yield JSON.stringify(value);
}

async function* writeList(items: AsyncIterable<Streamed>): AsyncGenerator<string> {
  let before = "[\n";
  for await (const item of items) {
    yield before;
    yield* write(item);
    before = ",\n";
  }
  yield before === "[\n" ? "[]" : "\n]";
}

async function* writeObject(value: { readonly [key: string]: Streamed }): AsyncGenerator<string> {
  let before = "{\n";
  for (const [key, child] of Object.entries(value)) {
    yield `${before}${JSON.stringify(key)}: `;
    yield* write(child);
    before = ",\n";
  }
  yield "\n}";
}

function isStream(value: Streamed): value is AsyncIterable<Streamed> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

function hasStream(value: Streamed): value is { readonly [key: string]: Streamed } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).some(isStream);
}
