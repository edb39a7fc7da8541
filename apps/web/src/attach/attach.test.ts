import { beforeEach, describe, expect, it, test, vi } from "vitest";
import type { Message, NewFile } from "@latchkey/client";
import { initialState } from "../state/app-state.ts";
import { createStore } from "../state/store.ts";
import { withTakenBack } from "../state/trays.ts";
import type { TrayItem } from "../state/trays.ts";
import { testMessage } from "../testing/fixtures.ts";
import { attach, mayBeOnce, moved, sendTray, sorted, trayActs } from "./attach.ts";
import type { AttachAccess } from "./attach.ts";

/** What is asked before the page is left. */
const asked = new Set<unknown>();

beforeEach(() => {
  asked.clear();
  vi.stubGlobal("addEventListener", (name: string, listener: unknown) => name === "beforeunload" && asked.add(listener));
  vi.stubGlobal("removeEventListener", (name: string, listener: unknown) => name === "beforeunload" && asked.delete(listener));
  return () => vi.unstubAllGlobals();
});

const pdf = (name = "report.pdf"): File => new File(["%PDF-1.7 and so on"], name, { type: "application/pdf" });

/** An app whose client sends what it is given, or fails. */
function app(send?: () => Promise<Message>): { access: AttachAccess; sent: NewFile[][]; texts: string[]; discarded: string[] } {
  const [sent, texts, discarded]: [NewFile[][], string[], string[]] = [[], [], []];
  const client = {
    send: (_id: string, text: string, options: { files: NewFile[] }) => {
      texts.push(text);
      sent.push(options.files);
      return send === undefined ? Promise.resolve(testMessage({ order: 1 })) : send();
    },
    discard: (_conversation: string, id: string) => {
      discarded.push(id);
      return Promise.resolve();
    },
  };
  const store = createStore(initialState);
  // Of the client and of what is loaded only this much is asked for.
  return { access: { store, client, history: { land: vi.fn() } } as unknown as AttachAccess, sent, texts, discarded };
}

const trayOf = ({ store }: AttachAccess) => store.get().trays.get("c");
const namesOf = (access: AttachAccess): readonly string[] => (trayOf(access)?.items ?? []).map(({ name }) => name);
const made = (access: AttachAccess): Promise<void> =>
  vi.waitFor(() => expect(trayOf(access)?.items.every((item) => item.made.kind === "made")).toBe(true));

describe("what is chosen", () => {
  test("is sorted: what has nothing in it, what is too large, and what is too much, each with a word", () => {
    const large = new File(["x"], "film.mov");
    Object.defineProperty(large, "size", { value: 2_147_483_649 });
    const many = Array.from({ length: 4 }, (_, index) => pdf(`${String(index)}.pdf`));
    const { taken, notes } = sorted([new File([], "empty.txt"), large, ...many], 3);
    expect(taken.map(({ name }) => name)).toEqual(["0.pdf", "1.pdf", "2.pdf"]);
    expect(notes).toEqual([
      { kind: "empty", names: ["empty.txt"] },
      { kind: "large", names: ["film.mov"] },
      { kind: "many", n: 1 },
    ]);
  });

  test("has 30 files at most, also one after the other", () => {
    const { access } = app();
    attach(access, "c", { files: Array.from({ length: 29 }, () => pdf()), hasFolder: false });
    attach(access, "c", { files: [pdf("a.pdf"), pdf("b.pdf")], hasFolder: true });
    expect(namesOf(access)).toHaveLength(30);
    expect(trayOf(access)?.notes).toEqual([{ kind: "folder" }, { kind: "many", n: 1 }]);
  });

  test("has a name without traps, and the type that its bytes have", async () => {
    const { access, sent } = app();
    attach(access, "c", { files: [new File(["%PDF-1.7"], "../\u202egpj.fdp", { type: "image/jpeg" })], hasFolder: false });
    await made(access);
    await sendTray(access, "c", { text: "", answered: undefined });
    expect(sent[0]).toMatchObject([{ name: "gpj.fdp", mediaType: "application/pdf", kind: "file", sizeBytes: 8 }]);
  });

  test("that can be read no more says so, and is not there", async () => {
    const { access } = app();
    const gone = pdf("gone.pdf");
    gone.slice = () => {
      throw new DOMException("gone", "NotFoundError");
    };
    attach(access, "c", { files: [gone, pdf("here.pdf")], hasFolder: false });
    await vi.waitFor(() => expect(trayOf(access)?.notes).toEqual([{ kind: "gone", names: ["gone.pdf"] }]));
    expect(namesOf(access)).toEqual(["here.pdf"]);
  });
});

describe("a tray", () => {
  it("is put in another order, and stays as it is at its ends", () => {
    // Of a file only its key is asked for.
    const items = [1, 2, 3].map((key) => ({ key }) as TrayItem);
    const order = (key: number, by: number): number[] => moved(items, key, by).map((item) => item.key);
    expect(order(3, -1)).toEqual([1, 3, 2]);
    expect(order(1, 1)).toEqual([2, 1, 3]);
    expect(order(1, -1)).toEqual([1, 2, 3]);
    expect(order(3, 1)).toEqual([1, 2, 3]);
    expect(order(9, 1)).toEqual([1, 2, 3]);
  });

  it("[X-8] is to be seen once only with one picture or video", async () => {
    const { access } = app();
    attach(access, "c", { files: [pdf()], hasFolder: false });
    await made(access);
    const [file] = trayOf(access)?.items ?? [];
    expect(file !== undefined && mayBeOnce({ items: [file] })).toBe(false);
    const picture = { made: { kind: "made", file: { kind: "picture" } } } as TrayItem;
    expect(mayBeOnce({ items: [picture] })).toBe(true);
    expect(mayBeOnce({ items: [picture, picture] })).toBe(false);
  });

  it("is empty after its last file went, and forgets what it said", () => {
    const { access } = app();
    attach(access, "c", { files: [pdf(), new File([], "empty")], hasFolder: false });
    const [item] = trayOf(access)?.items ?? [];
    trayActs(access, "c").remove(item?.key ?? -1);
    expect(trayOf(access)).toBeUndefined();
  });
});

describe("sending", () => {
  test("sends all with their descriptions, in order; the tray is empty at once, and until it is encrypted the browser asks before the page is left", async () => {
    const { access, sent, texts } = app();
    attach(access, "c", { files: [pdf("a.pdf"), pdf("b.pdf")], hasFolder: false });
    const [first, second] = trayOf(access)?.items ?? [];
    trayActs(access, "c").describe(first?.key ?? -1, " what it says ");
    trayActs(access, "c").move(second?.key ?? -1, -1);
    const sending = sendTray(access, "c", { text: "Both", answered: undefined });
    expect(trayOf(access)?.items).toEqual([]);
    expect(trayOf(access)?.leaving).toHaveLength(1);
    expect(asked.size).toBe(1);
    expect(await sending).toBe(true);
    expect(asked.size).toBe(0);
    expect(texts).toEqual(["Both"]);
    expect(sent[0]?.map(({ name, description }) => [name, description])).toEqual([
      ["b.pdf", ""],
      ["a.pdf", "what it says"],
    ]);
    expect(trayOf(access)).toBeUndefined();
  });

  test("that fails puts them back, before what was chosen meanwhile", async () => {
    const { promise, reject } = Promise.withResolvers<Message>();
    const { access, sent } = app(() => promise);
    attach(access, "c", { files: [pdf("a.pdf")], hasFolder: false });
    const sending = sendTray(access, "c", { text: "", answered: undefined });
    await vi.waitFor(() => expect(sent).toHaveLength(1));
    attach(access, "c", { files: [pdf("b.pdf")], hasFolder: false });
    reject(new Error("storage_full"));
    await expect(sending).rejects.toThrow("storage_full");
    expect(namesOf(access)).toEqual(["a.pdf", "b.pdf"]);
    expect(trayOf(access)?.leaving).toEqual([]);
  });

  test("of a file that vanished since it was chosen sends nothing, and says which", async () => {
    const { access, sent } = app();
    const files = [pdf("a.pdf"), pdf("b.pdf")];
    attach(access, "c", { files, hasFolder: false });
    await made(access);
    for (const file of files.slice(0, 1))
      file.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException("gone", "NotFoundError")) }) as unknown as Blob;
    expect(await sendTray(access, "c", { text: "", answered: undefined })).toBe(false);
    expect(sent).toEqual([]);
    expect(namesOf(access)).toEqual(["b.pdf"]);
    expect(trayOf(access)?.notes).toEqual([{ kind: "gone", names: ["a.pdf"] }]);
  });

  test("that is cancelled while it is encrypted goes to nobody", async () => {
    const { promise, resolve } = Promise.withResolvers<Message>();
    const { access, sent, discarded } = app(() => promise);
    attach(access, "c", { files: [pdf("a.pdf")], hasFolder: false });
    const sending = sendTray(access, "c", { text: "", answered: undefined });
    await vi.waitFor(() => expect(sent).toHaveLength(1));
    trayActs(access, "c").cancel(trayOf(access)?.leaving[0]?.key ?? -1);
    resolve(testMessage({ order: 7 }));
    expect(await sending).toBe(false);
    expect(discarded).toEqual(["m7"]);
    expect(namesOf(access)).toEqual(["a.pdf"]);
  });

  test("a message that takes its time is not overtaken by one that was sent after it; one that is cancelled holds up none", async () => {
    const { access, texts, sent } = app();
    const { promise, resolve } = Promise.withResolvers<ArrayBuffer>();
    const slow = pdf("slow.pdf");
    slow.slice = () => ({ arrayBuffer: () => promise }) as unknown as Blob;
    attach(access, "c", { files: [slow], hasFolder: false });
    const first = sendTray(access, "c", { text: "first", answered: undefined });
    attach(access, "c", { files: [pdf("quick.pdf")], hasFolder: false });
    const second = sendTray(access, "c", { text: "second", answered: undefined });
    attach(access, "other", { files: [pdf("other.pdf")], hasFolder: false });
    expect(await sendTray(access, "other", { text: "elsewhere", answered: undefined })).toBe(true);
    expect(texts).toEqual(["elsewhere"]);
    resolve(new ArrayBuffer(8));
    expect(await Promise.all([first, second])).toEqual([true, true]);
    expect(texts).toEqual(["elsewhere", "first", "second"]);

    const never = pdf("never.pdf");
    never.slice = () => ({ arrayBuffer: () => new Promise(() => undefined) }) as unknown as Blob;
    attach(access, "c", { files: [never], hasFolder: false });
    const third = sendTray(access, "c", { text: "third", answered: undefined });
    attach(access, "c", { files: [pdf("quick.pdf")], hasFolder: false });
    const fourth = sendTray(access, "c", { text: "fourth", answered: undefined });
    trayActs(access, "c").cancel(trayOf(access)?.leaving[0]?.key ?? -1);
    expect(await Promise.all([third, fourth])).toEqual([false, true]);
    expect([texts.slice(3), sent.at(-1)?.map(({ name }) => name)]).toEqual([["fourth"], ["quick.pdf"]]);
  });

  test("of nothing does nothing", async () => {
    const { access, sent } = app();
    expect(await sendTray(access, "c", { text: "x", answered: undefined })).toBe(false);
    expect(sent).toEqual([]);
  });
});

describe("a message that was taken back", () => {
  const file = { id: "f", kind: "file", name: "a.pdf", mediaType: "application/pdf", sizeBytes: 1, description: "" } as const;
  const message = testMessage({ order: 1, files: [file] });

  it("gives its files back to the tray, where they are at hand", () => {
    const item = { key: 5, name: "a.pdf" } as TrayItem;
    const state = withTakenBack({ ...initialState, sentItems: new Map([[message.id, [item]]]) }, message);
    expect(state.trays.get("c")).toMatchObject({ items: [item], notes: [] });
    expect(state.sentItems.size).toBe(0);
  });

  it("says that they have to be chosen again, where they are not", () => {
    expect(withTakenBack(initialState, message).trays.get("c")).toMatchObject({ items: [], notes: [{ kind: "lost" }] });
  });

  it("without files changes nothing", () => {
    expect(withTakenBack(initialState, testMessage({ order: 1 }))).toBe(initialState);
  });
});
