import { createFakeClock } from "@latchkey/testkit";
import { expect, test } from "vitest";
import { defaultLimits } from "../config.ts";
import { Refusal } from "../errors.ts";
import { createRateAdmission } from "./admission.ts";

function attempt(run: () => void): string | number {
  try {
    run();
    return "ok";
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return error.retryAfterMs;
  }
}

test("each address may do so much at once, then so much a second, each operation for itself", () => {
  const clock = createFakeClock();
  const rates = { ...defaultLimits.rates, createLog: { burst: 2, perSecond: 0.5 } };
  const admission = createRateAdmission(rates, () => clock.now());
  const create = (address: string): string | number => attempt(() => admission.admit("createLog", { address }));
  expect([create("a"), create("a"), create("a")]).toEqual(["ok", "ok", 2000]);
  expect(create("b")).toBe("ok");
  expect(attempt(() => admission.admit("strangerPost", { address: "a" }))).toBe("ok");
  clock.advance(1500);
  expect(create("a")).toBe(500);
  clock.advance(500);
  expect([create("a"), create("a")]).toEqual(["ok", 2000]);
  clock.advance(1_000_000);
  expect([create("a"), create("a"), create("a")]).toEqual(["ok", "ok", 2000]);
});

test("a clock that goes back gives nothing away and takes nothing", () => {
  const times = [10_000, 5000, 5000, 12_000];
  const rates = { ...defaultLimits.rates, register: { burst: 1, perSecond: 1 } };
  const admission = createRateAdmission(rates, () => times.shift() ?? 12_000);
  const register = (): string | number => attempt(() => admission.admit("register", { address: "a" }));
  expect([register(), register(), register(), register()]).toEqual(["ok", 1000, 1000, "ok"]);
});

test("a flood from many addresses costs bounded memory and little time", () => {
  const clock = createFakeClock();
  const rates = { ...defaultLimits.rates, lookup: { burst: 1, perSecond: 0 } };
  const admission = createRateAdmission(rates, () => clock.now());
  const lookup = (address: string): string | number => attempt(() => admission.admit("lookup", { address }));
  expect(lookup("first")).toBe("ok");
  expect(lookup("first")).toBe(86_400_000);
  for (let i = 0; i < 200_000; i++) lookup(`other ${i}`);
  // Pushed out by the others, which can only help it.
  expect(lookup("first")).toBe("ok");
});
