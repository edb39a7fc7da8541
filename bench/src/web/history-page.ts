import { openWebStore } from "@latchkey/client/web";
import { Timeline } from "@latchkey/client/testing";

/** What the page that fills a profile is told. */
export interface HistoryParams {
  readonly conversations: readonly string[];
  /** Of each. */
  readonly messages: number;
  /** Whose messages they are: base64url. */
  readonly accountId: string;
}

declare global {
  var fillHistory: (params: HistoryParams) => Promise<void>;
}

const atOnce = 500;

/** Puts messages into the profile of this browser as if they had come; nobody else may have it open. */
globalThis.fillHistory = async ({ conversations, messages, accountId }) => {
  const store = await openWebStore("default");
  const author = Uint8Array.fromBase64(accountId, { alphabet: "base64url" });
  const self = new Uint8Array(32);
  const nowMs = Date.now();
  let count = 0;
  for (let at = 0; at < messages; at += atOnce) {
    for (const conversationId of conversations) {
      await store.transact("write", async (tx) => {
        const timeline = new Timeline({ tx, conversationId, self, nowMs, onSegment: () => undefined, onFilesGone: () => undefined });
        for (let one = 0; one < Math.min(atOnce, messages - at); one++) {
          count += 1;
          const id = new Uint8Array(32);
          new DataView(id.buffer).setUint32(0, count);
          const atMs = nowMs - (messages * conversations.length - count) * 1000;
          await timeline.take({
            order: (1000 + at + one) * 16,
            id,
            author,
            device: undefined,
            claimedAtMs: atMs,
            sentAtMs: atMs,
            arrivedAtMs: atMs,
            acceptedAtMs: atMs,
            body: { kind: "text", text: `message number ${String(count)} of a long life, as people write them` },
            inReplyTo: undefined,
            forwardedHops: 0,
            mentions: { accounts: [], all: false },
            may: { post: true, pin: false, deleteOthers: false },
          });
        }
        await timeline.flush();
      });
    }
  }
  await store.close();
};
