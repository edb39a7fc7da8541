import { decode, encode, struct, uint16 } from "@latchkey/codec";
import type { Codec } from "@latchkey/codec";
import type { Alarms, Raised } from "../directory/alarms.ts";
import type { Store } from "../store/store.ts";

const promiseCodec: Codec<{ days: number }> = struct<{ days: number }>({ days: uint16 });
const keyOf = (host: string): string => `retention/${host}`;

/** Keeps how long a server promises to keep entries, and tells the person when it is less than before (spec E-13): it holds nothing. */
export async function noteRetention(
  { store, alarms }: { readonly store: Store; readonly alarms: Alarms },
  { host, days }: { readonly host: string; readonly days: number },
): Promise<void> {
  const stored = await store.transact("read", (tx) => tx.get(keyOf(host)));
  const before = stored === undefined ? days : decode(promiseCodec, stored).days;
  if (stored !== undefined && before === days) return;
  const raised = days < before ? shorter(host, { before, days }) : undefined;
  await store.transact("write", (tx) => {
    tx.put(keyOf(host), encode(promiseCodec, { days }));
    if (raised !== undefined) alarms.put(tx, raised);
  });
  if (raised !== undefined) alarms.tell(raised);
}

function shorter(host: string, { before, days }: { readonly before: number; readonly days: number }): Raised {
  const message = `From now on the server keeps messages for ${days} days; it was ${before} until now. A device that is away for longer than that misses some.`;
  return { failure: { code: "retention_shorter", message, canRetry: false }, about: `retention ${host} ${before} ${days}` };
}
