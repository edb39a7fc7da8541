import type { Client, Message, ReportFileChoice } from "@latchkey/client";
import { expect, test } from "vitest";
import { isPast } from "../state/days.ts";
import { ben, me, testMessage } from "../testing/fixtures.ts";
import { ownCopies } from "./own-copies.ts";
import { choiceOf, isEnclosable, paramsOf, withFile, withMessage } from "./report-choice.ts";

const message = (id: string, change: Partial<Message>): Message => ({ ...testMessage({ order: 1 }), ...change, id });

const file = (messageId: string): ReportFileChoice => ({ messageId, fileId: "f" });

test("of what was chosen the messages of who is reported are complained of, and the others stand beside", () => {
  const chosen = [message("a", { author: ben }), message("b", { author: me }), message("c", { author: ben })];
  const choice = choiceOf(chosen, ben.accountId);
  expect([[...choice.complained], [...choice.beside]]).toEqual([["a", "c"], ["b"]]);
  const changed = withMessage(withMessage(choice, "a", "none"), "c", "beside");
  expect(paramsOf(changed, { reason: "spam", words: " x ", isAnonymous: true, files: [file("b"), file("a")] })).toEqual({
    messageIds: [],
    contextIds: ["b", "c"],
    reason: "spam",
    words: "x",
    isAnonymous: true,
    // Of what is not shown nothing goes along.
    files: [file("b")],
  });
  expect(withFile(withFile([file("a")], file("b")), file("a"))).toEqual([file("b")]);
});

test("what waits, has failed, or was said by nobody cannot be shown to anybody", () => {
  const text = { kind: "text", text: "x" } as const;
  expect(isEnclosable(message("a", { author: ben, body: text, delivery: undefined }))).toBe(true);
  expect(isEnclosable(message("a", { author: me, body: text, delivery: { kind: "pending" } }))).toBe(false);
  expect(isEnclosable(message("a", { author: undefined, body: text }))).toBe(false);
});

test("a last day counts to its end", () => {
  expect(isPast(10, 11 * 86_400_000 - 1)).toBe(false);
  expect(isPast(10, 11 * 86_400_000)).toBe(true);
});

test("messages that a decision names are found in whatever conversation they are, and those that are gone are left out", async () => {
  const client = {
    conversations: () => Promise.resolve([{ id: "one" }, { id: "two" }]),
    messageInfo: (conversationId: string, id: string) =>
      conversationId === "two" && id === "m1"
        ? Promise.resolve({ message: message(id, { body: { kind: "text", text: "found" } }) })
        : Promise.reject(new Error("unknown_message")),
  } as unknown as Client;
  expect(await ownCopies(client, ["m0", "m1"])).toEqual(["found"]);
});
