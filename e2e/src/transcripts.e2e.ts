import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Client, Message, SpokenFile, Transcribe } from "@latchkey/client";
import { clientsOfEachTest } from "./testing/clients.ts";
import { eventually } from "./testing/people.ts";

const { open, register, reopen, settleAll } = clientsOfEachTest();

const sound = randomBytes(100_000);

interface Talk {
  readonly ada: Client;
  readonly ben: Client;
  readonly id: string;
  /** A voice message of Ada's, as Ben has it. */
  readonly voice: Message;
  readonly fileId: string;
}

/** Ada has sent a voice message to Ben, whose client has that function. */
async function talk(transcribe?: Transcribe, isOnce = false): Promise<Talk> {
  const ada = await register("ada");
  const ben = await open("ben", transcribe === undefined ? {} : { transcribe });
  await ben.register({ username: "ben" });
  const { id } = await ada.startConversation({ to: ["ben"] });
  const file = { name: "voice.webm", mediaType: "audio/webm", sizeBytes: sound.length, kind: "voice", durationMs: 4000 } as const;
  await ada.send(id, "", { files: [{ ...file, content: new Blob([sound]) }], isOnce });
  await settleAll();
  const voice = await eventually(
    ben,
    async () => (await ben.messages(id, { limit: 10 })).find(({ files }) => files !== undefined),
    "the voice message comes",
  );
  return { ada, ben, id, voice, fileId: voice.files?.[0]?.id ?? "" };
}

/** Says that the codes are the same, and resolves when the linking is done. */
async function confirmed(client: Client): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stop = client.subscribe((event) => {
    if (event.kind !== "link") return;
    if (event.state.kind === "compare") void client.confirmLink(true);
    if (event.state.kind === "done") resolve();
  });
  await promise.finally(stop);
}

const found = async (client: Client, words: string): Promise<number> => (await client.search(words)).found.length;
const transcriptOf = async (client: Client, id: string): Promise<string | undefined> =>
  (await client.messages(id, { limit: 10 })).flatMap(({ files = [] }) => files)[0]?.transcript;

describe("[X-27] what is said in a voice message", () => {
  test("is written down once by the function of the app, shown and found with the message, and by nobody else", async () => {
    const heard: { bytes: Buffer; file: Omit<SpokenFile, "content" | "signal"> }[] = [];
    const { ada, ben, id, voice, fileId } = await talk(async ({ content, signal: _signal, ...file }) => {
      heard.push({ bytes: Buffer.concat(await Array.fromAsync(content)), file });
      return "  Meet me at the old mill\u0000\u202e\r\nat noon ";
    });
    expect([await ben.canTranscribe(), await ada.canTranscribe()]).toEqual([true, false]);
    const said = "Meet me at the old mill\nat noon";
    // Asked for twice at once it is written down once.
    expect(await Promise.all([0, 1].map(() => ben.transcribe(id, voice.id, fileId)))).toEqual([said, said]);
    expect(await ben.transcribe(id, voice.id, fileId)).toBe(said);
    expect(heard.map(({ file }) => file)).toEqual([{ kind: "voice", mediaType: "audio/webm", sizeBytes: sound.length, durationMs: 4000 }]);
    expect(heard[0]?.bytes.equals(sound)).toBe(true);
    expect(await transcriptOf(ben, id)).toBe(said);
    expect([await found(ben, "mill"), await found(ben, "has:voice noon")]).toEqual([1, 1]);
    // Over a restart, and an edit of the message that takes nothing of it.
    const again = await reopen(ben, "ben");
    expect([await transcriptOf(again, id), await found(again, "mill"), await again.canTranscribe()]).toEqual([said, 1, false]);
    await ada.edit(id, voice.id, "a caption");
    await settleAll();
    expect([await transcriptOf(again, id), await found(again, "mill"), await found(again, "caption")]).toEqual([said, 1, 1]);
    expect([await transcriptOf(ada, id), await found(ada, "mill")]).toEqual([undefined, 0]);
    await expect(again.transcribe(id, voice.id, fileId)).rejects.toMatchObject({ code: "not_permitted" });
    // Deleted, nothing of it stays.
    await ada.deleteMessages(id, [voice.id], { forEveryone: true });
    await settleAll();
    expect([await transcriptOf(again, id), await found(again, "mill")]).toEqual([undefined, 0]);
  });

  test("[E-196] is a program's word: cut where it is too long, not kept where nothing is said or the message is gone, and waited for no longer than its person does", async () => {
    const begun = Promise.withResolvers<void>();
    const going: { signal?: AbortSignal } = {};
    const answers: (() => Promise<string>)[] = [
      () => Promise.reject(new Error("no model")),
      async () => " \u200b ",
      () => new Promise<never>(() => begun.resolve()),
      async () => "x".repeat(1_000_000),
    ];
    const { ada, ben, id, voice, fileId } = await talk(async ({ signal }) => {
      going.signal = signal;
      return await (answers.shift()?.() ?? Promise.resolve("later"));
    });
    const write = (): Promise<string> => ben.transcribe(id, voice.id, fileId);
    await expect(write()).rejects.toThrow("no model");
    expect([await write(), await transcriptOf(ben, id)]).toEqual(["", undefined]);
    const endless = write();
    await begun.promise;
    await ben.cancelFile(id, voice.id, fileId);
    await expect(endless).rejects.toMatchObject({ code: "closed" });
    expect(going.signal?.aborted).toBe(true);
    expect((await write()).length).toBe(16_384);
    expect((await transcriptOf(ben, id))?.length).toBe(16_384);
    // One that is deleted while it is written down keeps nothing.
    await ada.send(id, "", { files: [{ name: "b", mediaType: "audio/webm", sizeBytes: 3, kind: "audio", content: new Blob(["abc"]) }] });
    await settleAll();
    const other = (await ben.messages(id, { limit: 10 })).at(-1);
    answers.push(async () => {
      await ada.deleteMessages(id, [other?.id ?? ""], { forEveryone: true });
      await settleAll();
      return "secret";
    });
    await ben.transcribe(id, other?.id ?? "", other?.files?.[0]?.id ?? "");
    expect(await found(ben, "secret")).toBe(0);
    await expect(ben.transcribe(id, other?.id ?? "", other?.files?.[0]?.id ?? "")).rejects.toMatchObject({ code: "unknown_message" });
  });

  test("of what is to be heard once nothing is written down, and it stays unheard", async () => {
    const { ben, id, voice, fileId } = await talk(async () => "secret", true);
    await expect(ben.transcribe(id, voice.id, fileId)).rejects.toMatchObject({ code: "not_permitted" });
    expect((await ben.messages(id, { limit: 10 })).at(-1)?.isSeen).toBeUndefined();
    expect(Buffer.concat(await Array.fromAsync(ben.readFile(id, voice.id, fileId))).equals(sound)).toBe(true);
  });

  test("a transcript goes to no other device of the person, neither now nor with the history", async () => {
    const { ben, id, voice, fileId } = await talk(async () => "at the old mill");
    await ben.transcribe(id, voice.id, fileId);
    const phone = await open("phone");
    const { code } = await phone.offerLink({ deviceName: "Phone" });
    const linked = Promise.all([ben, phone].map((client) => confirmed(client)));
    await ben.acceptLink(code);
    await linked;
    await settleAll();
    await eventually(
      phone,
      async () => (await phone.messages(id, { limit: 10 }).catch(() => [])).find(({ files }) => files !== undefined),
      "history",
    );
    expect([await transcriptOf(phone, id), await found(phone, "mill")]).toEqual([undefined, 0]);
    expect(await transcriptOf(ben, id)).toBe("at the old mill");
  });
});
