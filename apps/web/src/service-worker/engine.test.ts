import "../testing/english.ts";
import type { Client, Message } from "@latchkey/client";
import { visitWebProfile } from "@latchkey/client/web";
import { afterAll, expect, it, vi } from "vitest";
import { takeWords, wordsToHand } from "../messages/text.ts";
import { fetchWords } from "../messages/words.ts";
import { testConversation, testMessage } from "../testing/fixtures.ts";
import { catchUp } from "./engine.ts";

// Files that ran before in this process have these modules without what is put in their place here, and those that come have them so again.
vi.hoisted(() => vi.resetModules());
afterAll(() => {
  // It takes what little it was handed for all that the app says.
  takeWords(said);
  vi.doUnmock("@latchkey/client/web");
  vi.doUnmock("../worker/can-keep-keys.ts");
  vi.resetModules();
});

vi.mock("@latchkey/client/web", () => ({ visitWebProfile: vi.fn() }));
vi.mock("../worker/can-keep-keys.ts", () => ({ canKeepKeys: async () => true }));
vi.stubGlobal("location", { origin: "https://chat.example" });

await fetchWords("app");
const said = wordsToHand("");

it("[O-22] each message is told once: with the look after it, in the visit of the profile that stays open or else in the next one, unless a page has it", async () => {
  const told: (readonly string[])[] = [];
  const conversations = [testConversation({ unreadCount: 9 })];
  const stored: Message[] = [];
  // Nothing else of it is used.
  const client = {
    conversations: async () => conversations,
    messages: async () => stored,
    quietHours: async () => ({}),
  } as unknown as Client;
  /** A visit in which these come, before the look after which they stand. */
  const visit = async (looks: readonly (readonly Message[])[], after: readonly Message[], end: "caught_up" | "wanted") => {
    vi.mocked(visitWebProfile).mockImplementationOnce(async ({ look, listener }) => {
      const come = (messages: readonly Message[]): void => {
        stored.push(...messages);
        for (const message of messages) listener({ kind: "message", message, isNew: true });
      };
      for (const before of looks) {
        come(before);
        await look(client, "caught_up");
      }
      come(after);
      return end;
    });
    const telling = { depth: "text", said: wordsToHand("app.notices.") } as const;
    const times = { timeoutMs: 0, lingerMs: 0, longestMs: 0, onOpen: () => undefined };
    await catchUp(
      { telling, counts: async () => new Map(), ...times },
      async ({ notices }) => void told.push(notices.map(({ body }) => body)),
    );
  };
  const message = (order: number): Message => testMessage({ order });
  await visit([[message(1)], [message(2)], []], [message(3)], "caught_up");
  expect(told.splice(0)).toEqual([["text 1"], ["text 2"], []]);
  await visit([[]], [message(4)], "wanted");
  expect(told.splice(0)).toEqual([["text 3"]]);
  await visit([[]], [], "caught_up");
  expect(told).toEqual([[]]);
});
