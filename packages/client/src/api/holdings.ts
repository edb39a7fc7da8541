import { fromBase64Url } from "@latchkey/codec";
import { ClientError } from "../errors.ts";
import { ownCode } from "../transport/between.ts";
import { apart, orOffline, refused } from "../transport/blob-answers.ts";
import type { HoldingsOptions, HoldingsTicket } from "./holdings-ticket.ts";

const defaultMostBytes = 4_294_967_296;
/** How long the next piece may take, in milliseconds. */
const stallMs = 60_000;

/**
 * The package for a ticket, in pieces as they come: UTF-8 JSON, whose `explanations` say of each field what it is and why it is there. What
 * ends early throws: a package that was read to its end is whole.
 * @throws ClientError `offline`, `rate_limited`, `server_refused`, to be tried again with a new ticket; `server_lied` for one without end
 */
export async function* readHoldings({ url, ticket }: HoldingsTicket, options: HoldingsOptions = {}): AsyncGenerator<Uint8Array> {
  const { signal, fetch: fetchIt = fetch, mostBytes = defaultMostBytes } = options;
  const ending = new AbortController();
  const { promise: ended, reject } = Promise.withResolvers<never>();
  ended.catch(() => undefined);
  const end = (): void => {
    reject(new DOMException("asked to end", "AbortError"));
    ending.abort();
  };
  if (signal?.aborted === true) end();
  signal?.addEventListener("abort", end);
  const inTime = async <T>(work: () => Promise<T>): Promise<T> => {
    const timer = setTimeout(end, stallMs);
    try {
      return await orOffline(() => Promise.race([ended, work()]));
    } finally {
      clearTimeout(timer);
    }
  };
  const init: RequestInit = { method: "POST", body: fromBase64Url(ticket).slice(), ...apart, signal: ending.signal };
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  let length = 0;
  try {
    const response = await inTime(() => fetchIt(url, init));
    if (!response.ok) throw refused(response.status, await ownCode(response), "put");
    reader = response.body?.getReader();
    for (;;) {
      const { done, value } = (await inTime(async () => reader?.read())) ?? { done: true, value: undefined };
      if (done) break;
      length += value.length;
      if (length > mostBytes) throw new ClientError("server_lied", "The server sends more than any server keeps of one account.");
      yield value;
    }
    if (length === 0) throw new ClientError("server_refused", "The server answered with nothing.", { canRetry: true });
  } finally {
    signal?.removeEventListener("abort", end);
    // Whoever has enough of it waits for nobody.
    void reader?.cancel().catch(() => undefined);
  }
}
