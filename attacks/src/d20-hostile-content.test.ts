// D20 | a value in a message that blanks, freezes or exhausts the app of every reader: times, nesting, numbers, records by the thousand | P
// Source: found by trying, 2026-11-27
// Counter-measure: everything is counted and bounded before anything is made of it (E-61, E-62)
import { encodeProofs } from "@latchkey/client/testing";
import { fromHex, toHex, utf8Bytes } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import { forgeAccount, forgeDevice } from "./testing/forge.ts";
import { writeAs } from "./testing/hostile-author.ts";
import { hear, say, Scene } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

/** Content whose extensions and body are these bytes, written by hand: no encoder would make it. */
function content(extensions: string, body: string): Uint8Array {
  const salt = `50${toHex(crypto.getRandomValues(new Uint8Array(16)))}`;
  return fromHex(`87${salt}f640f6f6${extensions}${body}`);
}

const bytesOf = (text: string): string => toHex(utf8Bytes(text));
const textType = "text/plain;charset=utf-8";
/** One part to be shown, of up to 255 bytes of text. */
function textBody(text: string): string {
  const [type, body] = [textType, text].map((value) => bytesOf(value));
  const head = (text.length < 24 ? [0x40 + text.length] : [0x58, text.length]).map((byte) => byte.toString(16)).join("");
  return `8501600178${textType.length.toString(16)}${type ?? ""}${head}${body ?? ""}`;
}
const sentAt = (value: string): string => `a16d${bytesOf("latchkey.sent")}${value}`;

describe("D20 hostile content", () => {
  test("each value is read within its bounds, with who wrote it, and the conversation goes on", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, mal] = [await scene.person("ada"), await scene.person("ben"), await scene.person("mal")];
    const { id } = await ada.client.startConversation({ to: ["ben", "mal"], name: "Allotment" });
    await say(ada, id, "hello");
    await hear(mal, id, "hello");
    const others = await Promise.all(Array.from({ length: 40 }, async (_, at) => forgeAccount(`ghost-${at}`, await forgeDevice())));
    const records = others.map(({ states, pops, bindings }) => ({ states, pops, bindings, proof: new Uint8Array(0) }));
    const flood = encodeProofs(Array.from({ length: 10 }, () => records).flat());
    const before = process.cpuUsage();
    await writeAs(scene, mal, id, [
      { plaintext: content(sentAt("1b001ff973cafa8000"), textBody("the year 287396")) },
      { plaintext: content(sentAt("fb433ff973cafa8000"), textBody("as a float")) },
      { plaintext: content("a10ff93c00", textBody("one point nought")) },
      { plaintext: content(`a10f994e20${"00".repeat(20_000)}`, textBody("many numbers")) },
      { plaintext: content(`a10f99c350${"00".repeat(50_000)}`, textBody("too many numbers")) },
      { plaintext: content(`a10f${"81".repeat(4000)}80`, textBody("a deep hole")) },
      { plaintext: content("a0", textBody("with four hundred strangers")), proofs: flood },
      { plaintext: content("a0", textBody("the end")) },
    ]);
    // The one with the records lies in a blob: it may come after what follows it.
    for (const reader of [ada, ben]) for (const text of ["the end", "with four hundred strangers"]) await hear(reader, id, text);
    const used = process.cpuUsage(before);
    const readable = ["the year 287396", "as a float", "one point nought", "many numbers", "with four hundred strangers", "the end"];
    for (const reader of [ada, ben]) {
      const lines = (await reader.client.messages(id, { limit: 50 })).filter(({ author }) => author?.username === "mal");
      expect(lines.flatMap(({ body }) => (body.kind === "text" ? [body.text] : []))).toEqual(readable);
      // What breaks the bounds is a line that says so, of its author.
      expect(lines.filter(({ body }) => body.kind === "unsupported" || body.kind === "unreadable")).toHaveLength(2);
      for (const { sentAtMs } of lines) expect(Math.abs(sentAtMs - Date.now())).toBeLessThan(600_000);
      expect(await reader.alarms()).toEqual([]);
    }
    // Of the strangers nothing was learned.
    await expect(ada.client.resolve("ghost-1")).rejects.toMatchObject({ code: "unknown_user" });
    // Both readers, the writer and the server in one process: before, each reader took eighteen seconds.
    expect(used.user).toBeLessThan(15_000_000);
    await say(ben, id, "and on");
    await hear(ada, id, "and on");
    shows(context, "Two of the lines say that this device cannot show them, and who wrote them; times are those of arrival.");
  });
});
