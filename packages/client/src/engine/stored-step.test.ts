import { toBase64Url } from "@latchkey/codec";
import { expect, test } from "vitest";
import { raisedIn } from "./stored-step.ts";

test("an alarm of a conversation names whose change or device it is about, and is another one after joining again", () => {
  const effect = { kind: "alarm", code: "change_unreadable", reason: "It cannot be read.", about: "unreadable_commit" } as const;
  const accountId = new Uint8Array(32).fill(7);
  const named = raisedIn({ id: "c", joinedSeq: 3 }, { ...effect, accountId });
  expect(named).toMatchObject({ conversationId: "c", accountId: toBase64Url(accountId), failure: { code: "change_unreadable" } });
  expect(raisedIn({ id: "c", joinedSeq: 3 }, effect).accountId).toBeUndefined();
  expect(raisedIn({ id: "c", joinedSeq: 4 }, effect).about).not.toBe(named.about);
});
