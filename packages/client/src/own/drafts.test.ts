import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { noDraft, takeDraft, tellDraft } from "./drafts.ts";
import type { DraftNote } from "./drafts.ts";

interface Device {
  readonly note: DraftNote;
  readonly local: string;
}

const blank: Device = { note: noDraft, local: "" };
const take = ({ note, local }: Device, incoming: string): Device => takeDraft(note, local, incoming);
const write = (device: Device, local: string): Device => ({ ...device, local });
const tell = ({ note, local }: Device): Device => ({ note: tellDraft(note, local), local });

describe("[X-16] drafts of two devices", () => {
  test("a draft goes over, and follows what is written on", () => {
    const first = take(blank, "he");
    expect(first.local).toBe("he");
    const second = take(first, "hello");
    expect(second.local).toBe("hello");
    expect(take(second, "")).toMatchObject({ local: "", note: { other: "" } });
  });

  test.each(["told", "not told yet"])("what was written here, %s, stays; the other one is offered", (told) => {
    const here = write(blank, "mine");
    const after = take(told === "told" ? tell(here) : here, "theirs");
    expect(after).toMatchObject({ local: "mine", note: { other: "theirs" } });
    // The other device goes on, or sends it.
    expect(take(after, "theirs too")).toMatchObject({ local: "mine", note: { other: "theirs too" } });
    expect(take(after, "")).toMatchObject({ local: "mine", note: { other: "" } });
    // It writes the same in the end.
    const same = take(after, "mine");
    expect(same).toMatchObject({ local: "mine", note: { other: "" } });
    // It took what was written here, and sends it.
    expect(take(same, "")).toMatchObject({ local: "", note: { other: "" } });
    expect(take(write(same, "mine, on"), "")).toMatchObject({ local: "mine, on" });
  });

  test("what came from elsewhere and was changed here counts as written here", () => {
    const after = take(write(take(blank, "hello"), "hello Ben"), "hello Cyd");
    expect(after).toMatchObject({ local: "hello Ben", note: { other: "hello Cyd" } });
  });

  test("what was written here and was taken over elsewhere goes the way that it went there", () => {
    const here = tell(write(blank, "mine"));
    expect(takeDraft(here.note, here.local, "", true)).toMatchObject({ local: "", note: { other: "" } });
    expect(takeDraft(here.note, here.local, "mine, on", true)).toMatchObject({ local: "mine, on", note: { other: "" } });
  });

  test("whatever happens, no text that was written here is replaced by another device's", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("write" as const), text: fc.string({ maxLength: 3 }) }),
      fc.record({ kind: fc.constant("take" as const), text: fc.string({ maxLength: 3 }) }),
      fc.record({ kind: fc.constant("tell" as const), text: fc.constant("") }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        let device = blank;
        let written = "";
        for (const { kind, text } of steps) {
          const before = device;
          if (kind === "write") {
            device = write(device, text);
            if (text !== before.local) written = text;
          } else device = kind === "tell" ? tell(device) : take(device, text);
          if (kind !== "take" || device.local === before.local) continue;
          expect(before.local === "" || before.local !== written || before.local === before.note.agreed).toBe(true);
        }
      }),
    );
  });
});
