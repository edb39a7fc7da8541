import { utf8Bytes } from "@latchkey/codec";
import { ed25519 } from "@noble/curves/ed25519.js";
import { expect, test } from "vitest";
import {
  createVerifier,
  encodeRestoreStatement,
  formatNote,
  nobleSignatures,
  noteSignatureTypes,
  openCheckpoint,
  openRestoreStatement,
  parseCheckpoint,
  signCheckpoint,
  signNote,
} from "../index.ts";

const origin = "latchkey.example/latchkey";
const statement = { origin, size: 5, copiedMs: 1_700_000_000_000, restoredMs: 1_700_000_500_000, isRecordWhole: true };
const key = { name: origin, secretKey: new Uint8Array(32).fill(7), signatures: nobleSignatures };
const keyOf = (secretKey: Uint8Array) =>
  createVerifier({ name: origin, type: noteSignatureTypes.ed25519, publicKey: ed25519.getPublicKey(secretKey) });
const log = keyOf(key.secretKey);
const signed = async (text: string): Promise<Uint8Array> => utf8Bytes(formatNote(await signNote({ text, ...key })));
const open = (note: Uint8Array, params: { origin?: string; log?: typeof log } = {}) =>
  openRestoreStatement({ note, origin, log, signatures: nobleSignatures, ...params });

test("[D-7] the statement of a restore is read as it was signed", async () => {
  expect(encodeRestoreStatement(statement)).toBe(
    "latchkey restored 1\nlatchkey.example/latchkey\n5\n1700000000000\n1700000500000\nrecord whole\n",
  );
  for (const isRecordWhole of [true, false]) {
    const said = { ...statement, isRecordWhole };
    expect(await open(await signed(encodeRestoreStatement(said)))).toEqual(said);
  }
});

test("[D-7] the statement of a restore is none of another log, key or form, and neither it nor a checkpoint passes for the other", async () => {
  const text = encodeRestoreStatement(statement);
  const note = await signed(text);
  await expect(open(note, { origin: "other.example/latchkey" })).rejects.toMatchObject({ code: "proof" });
  await expect(open(note, { log: keyOf(new Uint8Array(32).fill(8)) })).rejects.toMatchObject({ code: "signature" });
  const changed = new TextDecoder().decode(note).replace("1700000000000", "1700000000001");
  await expect(open(utf8Bytes(changed))).rejects.toMatchObject({ code: "signature" });
  const malformed = [
    text.replace("restored 1", "restored 2"),
    text.replace("\n5\n", "\n05\n"),
    text.replace("1700000500000", "1600000000000"),
    text.replace("whole", "lost"),
    `${text}more\n`,
    text.replace("record whole\n", ""),
    `${"x".repeat(2000)}\n`,
  ];
  for (const other of malformed) await expect(open(await signed(other))).rejects.toMatchObject({ code: "malformed" });
  for (let length = 0; length < note.length; length++)
    await expect(open(note.subarray(0, length))).rejects.toMatchObject({ name: "TransparencyError" });

  expect(() => parseCheckpoint(text)).toThrow();
  await expect(openCheckpoint({ note, origin: "latchkey restored 1", log, witnesses: [], signatures: nobleSignatures })).rejects.toThrow();
  const checkpoint = await signCheckpoint({ checkpoint: { origin, size: 5, root: new Uint8Array(32), extensions: [] }, ...key });
  await expect(open(utf8Bytes(formatNote(checkpoint)))).rejects.toMatchObject({ code: "malformed" });
});
