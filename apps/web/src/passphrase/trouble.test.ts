import { beforeAll, expect, test } from "vitest";
import { fetchWords, speak } from "../messages/words.ts";
import { RemoteError } from "../worker/protocol.ts";
import { CannotComputeHere } from "./opaque-elsewhere.ts";
import { troubleOf } from "./trouble.ts";

beforeAll(async () => {
  await speak("en");
  await fetchWords("passphrase");
});

test("[A-13] it is said apart: ten tries of a day, many tries just now, and a browser that cannot compute", () => {
  const refused = (retryAfterMs: number) => new RemoteError({ code: "rate_limited", message: "", canRetry: true, retryAfterMs });
  expect(troubleOf(refused(5 * 3_600_000))).toMatch(/^Too many tries today, .* Try tomorrow/);
  expect(troubleOf(refused(200_000))).toMatch(/^Too many tries just now\. Try again in 4 minutes/);
  expect(troubleOf(refused(1000))).toMatch(/in 1 minute,/);
  expect(troubleOf(new CannotComputeHere())).toMatch(/^This browser could not compute/);
  expect(troubleOf(new RemoteError({ code: "offline", message: "", canRetry: true }))).toBe(
    "The server cannot be reached. Check your connection and try again.",
  );
});
