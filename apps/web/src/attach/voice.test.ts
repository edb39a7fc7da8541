import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Message, NewFile } from "@latchkey/client";
import type { VoiceRecording } from "../media/voice-recorder.ts";
import { initialState } from "../state/app-state.ts";
import { createStore } from "../state/store.ts";
import { testMessage } from "../testing/fixtures.ts";
import { mayBeOnce } from "./attach.ts";
import type { AttachAccess } from "./attach.ts";
import { dropVoice, itemOf, keepVoice, sendVoice } from "./voice.ts";

/** What is asked before the page is left. */
const asked = new Set<unknown>();
const recording: VoiceRecording = {
  blob: new Blob(["spoken"]),
  mediaType: "audio/webm",
  durationMs: 1200,
  peaks: new Uint8Array(64),
  packets: "constant",
};

beforeEach(() => {
  asked.clear();
  vi.stubGlobal("addEventListener", (name: string, listener: unknown) => name === "beforeunload" && asked.add(listener));
  vi.stubGlobal("removeEventListener", (name: string, listener: unknown) => name === "beforeunload" && asked.delete(listener));
  return () => vi.unstubAllGlobals();
});

function app(send: (files: readonly NewFile[]) => Promise<Message>): AttachAccess {
  const client = { send: (_id: string, _text: string, options: { files: NewFile[] }) => send(options.files) };
  // Of the client and of what is loaded only this much is asked for.
  return { store: createStore(initialState), client, history: { land: vi.fn() } } as unknown as AttachAccess;
}

describe("a recording", () => {
  it("is kept for its conversation until it is let go of; meanwhile the browser asks before the page is left", () => {
    const access = app(() => Promise.reject(new Error("nothing is sent")));
    keepVoice(access, "c", recording);
    keepVoice(access, "d", recording);
    keepVoice(access, "c", recording);
    dropVoice(access, "c");
    expect([...access.store.get().voices.keys()]).toEqual(["d"]);
    expect(asked.size).toBe(1);
    dropVoice(access, "d");
    dropVoice(access, "d");
    expect(asked.size).toBe(0);
  });

  it("goes as a voice message, with its length and how loud it is", async () => {
    const sent: NewFile[] = [];
    const access = app((files) => {
      sent.push(...files);
      return Promise.resolve(testMessage({ order: 1 }));
    });
    keepVoice(access, "c", recording);
    expect(await sendVoice(access, "c", { recording, answered: undefined, isOnce: false })).toBe(true);
    const { durationMs, mediaType, peaks, blob } = recording;
    expect(sent).toMatchObject([{ kind: "voice", name: "voice.webm", durationMs, mediaType, peaks, sizeBytes: blob.size, content: blob }]);
    expect(access.store.get()).toMatchObject({ voices: new Map(), trays: new Map() });
    expect(asked.size).toBe(0);
  });

  it("that could not be sent is in the tray, and can be sent from there, also to be heard once", async () => {
    const access = app(() => Promise.reject(new Error("offline")));
    await expect(sendVoice(access, "c", { recording, answered: undefined, isOnce: true })).rejects.toThrow("offline");
    const tray = access.store.get().trays.get("c");
    expect(tray).toMatchObject({ items: [{ name: "voice.webm" }], isOnce: true });
    expect(tray !== undefined && mayBeOnce(tray)).toBe(true);
  });

  it("of a browser that knows no WebM has a name that fits", () => {
    expect(itemOf({ ...recording, mediaType: "audio/mp4" }).name).toBe("voice.m4a");
  });
});
