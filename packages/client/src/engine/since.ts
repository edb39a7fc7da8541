import { toBase64Url } from "@latchkey/codec";
import type { Message, MessagePage } from "../api.ts";
import { ClientError } from "../errors.ts";
import { arrivalsAfter } from "../timeline/arrivals.ts";
import { loadStanding } from "../timeline/history.ts";
import type { ConversationRunner } from "./conversation-runner.ts";
import { accountsOfLine } from "./effects.ts";
import { quotedBy } from "./shown-history.ts";
import { messageOfLine } from "./shown-message.ts";
import type { World } from "./world.ts";

const tagCharacters = 8;

/**
 * The lines that arrived after a cursor, as they are shown now, in the order in which they came.
 * @throws ClientError `invalid_cursor` for one that this profile did not give
 */
export async function messagesSince(
  world: World,
  runners: ReadonlyMap<string, ConversationRunner>,
  { cursor, limit }: { cursor: string | undefined; limit: number },
): Promise<MessagePage> {
  const { store, people, own, clock, platform } = world;
  const tag = toBase64Url(own.deviceId).slice(0, tagCharacters);
  const after = numberOf(cursor, tag);
  const nowMs = clock.latest(platform.nowMs());
  const found = await store.transact("read", async (tx) => {
    const arrivals = await arrivalsAfter(tx, after, limit + 1);
    const page = arrivals.slice(0, limit);
    const lines = await Promise.all(
      page.map(async ({ conversationId, order }) => {
        const line = await loadStanding(tx, conversationId, order, nowMs);
        return line === undefined ? undefined : { conversationId, line, quoted: await quotedBy(tx, conversationId, line, nowMs) };
      }),
    );
    return { lines: lines.filter((line) => line !== undefined), last: page.at(-1)?.number ?? after, hasMore: arrivals.length > limit };
  });
  await people.load(
    found.lines.flatMap(({ line, quoted }) => [...accountsOfLine(line), ...(quoted === undefined ? [] : accountsOfLine(quoted))]),
  );
  const messages = found.lines.flatMap(({ conversationId, line, quoted }): Message[] => {
    const runner = runners.get(conversationId);
    return runner === undefined || runner.state.kind === "devices" ? [] : [messageOfLine(world, runner.state, line, quoted)];
  });
  return { messages, cursor: `${tag}.${String(found.last)}`, hasMore: found.hasMore };
}

/** The arrival after which a cursor stands. */
function numberOf(cursor: string | undefined, tag: string): number {
  if (cursor === undefined) return 0;
  const digits = cursor.startsWith(`${tag}.`) ? cursor.slice(tag.length + 1) : "";
  const number = /^(?:0|[1-9][0-9]{0,15})$/.test(digits) ? Number(digits) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new ClientError("invalid_cursor", "This cursor is not one that this profile gave.");
}
