import { expect, it } from "vitest";
import { testMessage } from "../testing/fixtures.ts";
import { forwardAll } from "./forwarding.ts";

it("sends what did not go the first time, and nothing twice", async () => {
  const messages = [testMessage({ order: 1 }), testMessage({ order: 2 })];
  const sent: string[] = [];
  const failure = new Error("slow mode");
  let isSlow = true;
  const gone = new Set<string>();
  const forward = async (message: { readonly order: number }, to: string): Promise<void> => {
    if (isSlow && to === "b" && message.order === 2) throw failure;
    sent.push(`${to}${String(message.order)}`);
  };
  expect(await forwardAll({ messages, to: ["a", "b", "c"], gone, forward })).toEqual({ done: ["a"], stopped: { to: "b", error: failure } });
  expect(sent).toEqual(["a1", "a2", "b1"]);
  isSlow = false;
  expect(await forwardAll({ messages, to: ["b", "c"], gone, forward })).toEqual({ done: ["b", "c"], stopped: undefined });
  expect(sent).toEqual(["a1", "a2", "b1", "b2", "c1", "c2"]);
});
