import { fromBase64Url } from "@latchkey/codec";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import { betweenFailure, ownCode } from "../transport/between.ts";
import { apart, orOffline, refused } from "../transport/blob-answers.ts";
import { fetchWhileItComes, fetchWithin, readBody } from "../transport/fetch-within.ts";
import type { HoldingsOptions, HoldingsTicket } from "./holdings-ticket.ts";

const defaultMostBytes = 4_294_967_296;
const mostInventoryBytes = 1_000_000;

/**
 * The package for a ticket, in pieces as they come: UTF-8 JSON, whose `explanations` say of each field what it is and why it is there. What
 * ends early throws: a package that was read to its end is whole. Pieces are to be taken as they come: what nobody takes hangs, too.
 * @throws ClientError `offline`, `rate_limited`, `server_refused`, to be tried again with a new ticket; `server_lied` for one without end
 */
export async function* readHoldings({ url, ticket }: HoldingsTicket, options: HoldingsOptions = {}): AsyncGenerator<Uint8Array> {
  const { signal, fetch: fetchIt = fetch, mostBytes = defaultMostBytes } = options;
  const left = new AbortController();
  const ending = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
  const init: RequestInit = { method: "POST", body: fromBase64Url(ticket).slice(), ...apart, signal: ending };
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const [from, to] = [readable.getReader(), writable.getWriter()];
  void orOffline(() =>
    fetchWhileItComes(platformOf(fetchIt), url, init, async (response, came) => {
      if (!response.ok) throw refused(response.status, await ownCode(response), "put");
      await passOn(response, { to, mostBytes, came });
    }),
  )
    .then(() => to.close())
    .catch((error: unknown) => to.abort(error))
    .catch(() => undefined);
  try {
    for (;;) {
      const { done, value } = await from.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Whoever has enough of it waits for nobody.
    left.abort();
  }
}

/** Hands on what comes, one piece after another. @throws ClientError for more than may come, and for nothing */
async function passOn(
  { body }: Response,
  { to, mostBytes, came }: { to: WritableStreamDefaultWriter<Uint8Array>; mostBytes: number; came: (bytes: number) => void },
): Promise<void> {
  const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = body?.getReader();
  let length = 0;
  try {
    for (;;) {
      const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
      if (done) break;
      length += value.length;
      came(value.length);
      if (length > mostBytes) throw new ClientError("server_lied", "The server sends more than any server keeps of one account.");
      await to.write(value);
    }
  } finally {
    void reader?.cancel().catch(() => undefined);
  }
  if (length === 0) throw new ClientError("server_refused", "The server answered with nothing.", { canRetry: true });
}

/**
 * What the server at this address says that it keeps of everybody (rule F-20): JSON, at most a million bytes of it, within a minute.
 * @throws ClientError which says why not, to be tried again
 */
export async function fetchInventory(baseUrl: string, { fetch: fetchIt = fetch }: Pick<HoldingsOptions, "fetch"> = {}): Promise<string> {
  return await orOffline(() =>
    fetchWithin(platformOf(fetchIt), `${baseUrl}/v1/inventory`, { method: "GET", ...apart }, async (response) => {
      if (!response.ok) throw refused(response.status, await ownCode(response), "put");
      const bytes = await readBody(response, mostInventoryBytes);
      if (bytes === undefined) throw betweenFailure(response.status);
      return new TextDecoder().decode(bytes);
    }),
  );
}

function platformOf(fetchIt: typeof fetch): Pick<Platform, "fetch" | "setTimer"> {
  return {
    // A browser's own is no method of anything else.
    fetch: (...args) => fetchIt(...args),
    setTimer(delayMs, run) {
      const timer = setTimeout(run, delayMs);
      return () => clearTimeout(timer);
    },
  };
}
