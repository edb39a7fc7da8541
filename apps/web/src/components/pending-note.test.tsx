import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import "../testing/english.ts";
import { failureWords } from "../messages/words.ts";
import { applyEvents, initialState } from "../state/app-state.ts";
import { PendingNote } from "./PendingNote.tsx";

test("[A-2] an account that is made and does not count yet is told, with its name and what is waited for, until it does", () => {
  const pending = { username: "ann", failure: { code: "account_waits", message: "It waits.", canRetry: true } } as const;
  const { title, advice } = failureWords(pending.failure);
  expect(title).not.toBe("It waits.");
  const waiting = applyEvents(initialState, [{ kind: "pending_account", pending }]);
  expect(waiting.pendingAccount).toEqual(pending);
  const text = renderToStaticMarkup(<PendingNote pending={pending} />).replaceAll(/<[^>]*>/gu, " ");
  for (const part of [title, "The username ann is yours.", advice]) expect(text).toContain(part);
  expect(applyEvents(waiting, [{ kind: "pending_account", pending: undefined }]).pendingAccount).toBeUndefined();
});
