import { expect, test } from "vitest";
import { readText } from "./standard-input.ts";

async function* chunks(...parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* parts;
}

test("reads UTF-8 whose characters are cut anywhere", async () => {
  const bytes = new TextEncoder().encode("Grüße 👋\n");
  for (let at = 0; at <= bytes.length; at++) {
    expect(await readText(chunks(bytes.subarray(0, at), bytes.subarray(at)))).toBe("Grüße 👋\n");
  }
});

test("refuses what is no UTF-8, and what never ends", async () => {
  await expect(readText(chunks(Uint8Array.of(0x67, 0xff)))).rejects.toMatchObject({ code: "invalid_text", exitCode: 1 });
  await expect(readText(chunks(Uint8Array.of(0xf0, 0x9f)))).rejects.toMatchObject({ code: "invalid_text" });
  let given = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      given += 1;
      yield new Uint8Array(65_536);
    }
  }
  await expect(readText(endless())).rejects.toMatchObject({ code: "message_too_large" });
  expect(given).toBeLessThan(20);
});
