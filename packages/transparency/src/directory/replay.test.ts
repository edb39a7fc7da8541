import { decode, encode, toHex, utf8Bytes } from "@latchkey/codec";
import { describe, expect, test } from "vitest";
import {
  TransparencyError,
  configNoticeMs,
  decodeTransition,
  directoryConfigCodec,
  encodeTransition,
  logEntryCodec,
  nextReplay,
  readEntries,
  replay,
  replayRoot,
  replayStateCodec,
} from "../index.ts";
import type { LogEntry, ReplayItem, ReplayState, ReplayStep, TransparencyErrorCode } from "../index.ts";
import { createMemoryDirectory, createPerson } from "./memory-directory.testing.ts";
import type { MemoryDirectory } from "./memory-directory.testing.ts";

async function refusal(action: () => unknown): Promise<TransparencyErrorCode | undefined> {
  try {
    await action();
  } catch (error) {
    if (error instanceof TransparencyError) return error.code;
    throw error;
  }
  return undefined;
}

async function* itemsOf(directory: MemoryDirectory, from = 0): AsyncGenerator<ReplayItem> {
  let index = from;
  const size = directory.size();
  for await (const entry of readEntries({ from, to: size, size, fetchTile: directory.fetchTile })) {
    yield { entry, transition: directory.transitions()[index++] };
  }
}

async function replayAll(directory: MemoryDirectory, from?: ReplayState): Promise<ReplayStep[]> {
  return await Array.fromAsync(replay({ from, items: itemsOf(directory, from?.size) }));
}

async function example(): Promise<MemoryDirectory> {
  const directory = await createMemoryDirectory({ witnesses: 0 });
  for (const name of ["alice", "bob", "carol"]) await directory.publish((await createPerson(name)).changes);
  await directory.publish([], { heads: [{ logId: new Uint8Array(32), seq: 1, head: new Uint8Array(32) }] });
  return directory;
}

async function stateOf(directory: MemoryDirectory): Promise<ReplayState> {
  const last = (await replayAll(directory)).at(-1);
  if (last === undefined) throw new Error("a log has an entry 0");
  return last.state;
}

describe("replaying the directory", () => {
  test("[D-3] an audit from zero arrives at the checkpoint's tree and the map's counts, in one go and continued", async () => {
    const directory = await example();
    const steps = await replayAll(directory);
    expect(steps.map(({ changed, added }) => [changed, added])).toEqual([
      [0, 0],
      [2, 2],
      [2, 2],
      [2, 2],
      [0, 0],
    ]);
    const state = await stateOf(directory);
    expect(state.leafCount).toBe(6);
    expect(toHex(replayRoot(state))).toBe(toHex(await directory.root()));
    for (let i = 0; i < 300; i++) await directory.publish([]);
    await directory.publish([{ type: "operator", label: utf8Bytes("policy"), values: [Uint8Array.of(1)] }]);
    const kept = decode(replayStateCodec, encode(replayStateCodec, state));
    const continued = (await replayAll(directory, kept)).at(-1);
    expect(continued?.state).toEqual(await stateOf(directory));
    expect(toHex(replayRoot(await stateOf(directory)))).toBe(toHex(await directory.root()));
  });

  test("[D-3] an entry that counts wrong, goes back in time, or changes the map by no or another transition is refused", async () => {
    const directory = await example();
    const state = await stateOf(directory);
    await directory.publish((await createPerson("dave")).changes);
    const entry = decode(logEntryCodec, directory.entries().at(-1) ?? new Uint8Array(0));
    const transition = directory.transitions().at(-1);
    if (transition === undefined) throw new Error("the entry changed the map");
    const code = (change: Partial<LogEntry>, other: Uint8Array | undefined = transition): Promise<TransparencyErrorCode | undefined> =>
      refusal(() => nextReplay(state, { entry: encode(logEntryCodec, { ...entry, ...change }), transition: other }));
    expect(await code({})).toBeUndefined();
    expect(await code({ leafCount: entry.leafCount + 1 })).toBe("proof");
    expect(await code({ timestampMs: state.timestampMs })).toBe("rule");
    expect(await code({ mapRoot: new Uint8Array(32).fill(1) })).toBe("proof");
    expect(await code({ changesHash: new Uint8Array(32) })).toBe("proof");
    expect(await code({ changesHash: new Uint8Array(32).fill(1) })).toBe("proof");
    expect(await code({}, encodeTransition({ ...decodeTransition(transition), ext: Uint8Array.of(1) }))).toBe("proof");
    expect(await refusal(() => nextReplay(state, { entry: directory.entries().at(-1) ?? new Uint8Array(0), transition: undefined }))).toBe(
      "missing",
    );
    expect(await refusal(() => nextReplay(state, { entry: Uint8Array.of(1), transition: undefined }))).toBe("malformed");
  });

  test("[D-3] a map that a lying operator made from another one does not follow", async () => {
    const directory = await example();
    const state = await stateOf(directory);
    const other = await createMemoryDirectory({ witnesses: 0 });
    for (const name of ["alice", "mallory", "carol"]) await other.publish((await createPerson(name)).changes);
    other.setTime(directory.nowMs());
    await other.publish((await createPerson("dave")).changes);
    const item = { entry: other.entries().at(-1) ?? new Uint8Array(0), transition: other.transitions().at(-1) };
    expect(await refusal(() => nextReplay(state, item))).toBe("proof");
  });

  test("[D-2] a log begins with its configuration; a later one keeps origin and VRF key and waits for the one before it", async () => {
    const directory = await example();
    expect(await refusal(() => nextReplay(undefined, { entry: directory.entries()[1] ?? new Uint8Array(0), transition: undefined }))).toBe(
      "config",
    );
    const first = decode(directoryConfigCodec, directory.config);
    const withConfig = async (log: MemoryDirectory, config: object): Promise<TransparencyErrorCode | undefined> => {
      const forked = log.fork();
      await forked.publish([], { config: encode(directoryConfigCodec, { ...first, ...config }) });
      return await refusal(() => replayAll(forked));
    };
    expect(await withConfig(directory, { logPolicy: "quorum none\n" })).toBeUndefined();
    expect(await withConfig(directory, { origin: "other.example/latchkey" })).toBe("config");
    expect(await withConfig(directory, { vrfPublicKey: new Uint8Array(32) })).toBe("config");
    await directory.publish([], { config: directory.config });
    expect(await withConfig(directory, {})).toBe("config");
    directory.setTime(directory.nowMs() + configNoticeMs);
    expect(await withConfig(directory, {})).toBeUndefined();
    const state = await stateOf(directory);
    await directory.publish([]);
    const plain = decode(logEntryCodec, directory.entries().at(-1) ?? new Uint8Array(0));
    const lying = { entry: encode(logEntryCodec, { ...plain, configIndex: 0 }), transition: undefined };
    expect(await refusal(() => nextReplay(state, lying))).toBe("config");
  });
});
