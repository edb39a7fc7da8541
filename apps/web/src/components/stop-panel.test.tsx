import "../testing/english.ts";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, test } from "vitest";
import type { Conversation } from "@latchkey/client";
import { AppContext } from "../state/context.ts";
import type { App } from "../state/context.ts";
import { testConversation, testPerson } from "../testing/fixtures.ts";
import { StopPanel } from "./StopPanel.tsx";

const app = { controller: { listen: () => undefined }, router: { go: () => undefined }, notify: () => undefined } as unknown as App;

function shown(changes: Partial<Conversation>): { readonly text: string; readonly buttons: readonly string[] } {
  const conversation = testConversation({ kind: "group", title: "Allotment", ...changes });
  const html = renderToStaticMarkup(
    <AppContext value={app}>
      <StopPanel conversation={conversation} />
    </AppContext>,
  );
  // Names are isolated from what stands around them.
  const plain = html.replaceAll(/[\u2068\u2069]/gu, "");
  const buttons = [...plain.matchAll(/<button[^>]*>([^<]*)</gu)].map(([, label = ""]) => label);
  return { text: plain.replaceAll(/<[^>]*>/gu, " "), buttons };
}

const failure = { code: "change_unreadable", message: "A change by a member cannot be read by this device.", canRetry: true } as const;
const [ben, mal] = [testPerson("ben"), testPerson("mal")];

describe("[G-9] what stops a group, and the ways on", () => {
  test("whose change it is, and a button for going on without them", () => {
    const { text, buttons } = shown({ stop: { failure, by: mal, removable: [] } });
    expect(text).toContain("The change is by mal.");
    expect(buttons).toEqual(["Go on with everybody", "Go on without mal"]);
  });

  test("where nobody is known to have made it, one button", () => {
    expect(shown({ stop: { failure, by: undefined, removable: [] } }).buttons).toEqual(["Go on in a new conversation"]);
  });

  test("[G-8] a device that its account does not have: who may takes it out", () => {
    const unproven = { ...failure, code: "device_unproven" } as const;
    const { buttons } = shown({ stop: { failure: unproven, by: undefined, removable: [ben] } });
    expect(buttons).toEqual(["Go on in a new conversation", "Remove the device in the name of ben"]);
  });

  test("[E-69] a device of which nothing can be found out: what is written waits, and who may takes it out", () => {
    const message =
      "Whether a device in this conversation belongs to the account that it names cannot be found out now. Nothing is sent until that is known, or the device is removed.";
    const stop = { failure: { code: "directory_unproven", message: "", canRetry: true } as const, by: undefined, removable: [ben] };
    const { text, buttons } = shown({ stop });
    expect(text).toContain(`${message}  What you write waits, and the conversation goes on by itself when that is over.`);
    expect(buttons).toEqual(["Go on in a new conversation", "Remove the device in the name of ben"]);
  });

  test("[M-9] others go on elsewhere: each one's place with a button, who is missing there, and one's own way beside them", () => {
    const offers = [
      { conversationId: "a", from: mal, missing: [] },
      { conversationId: "b", from: ben, missing: [mal] },
    ];
    const { text, buttons } = shown({ stop: { failure, by: mal, removable: [] }, offers });
    expect(text).toContain("mal goes on in a new conversation.  It has the same people and roles.");
    expect(text).toContain("ben goes on in a new conversation.  Not in it: mal.");
    expect(buttons).toEqual(["Not there", "Go on there", "Not there", "Go on there", "Go on with everybody", "Go on without mal"]);
  });

  test("[E-24] asked back in where somebody is missing: who", () => {
    const { text } = shown({
      invitations: [{ from: ben, wasMember: true, missing: [mal], instead: undefined, replaced: undefined, atMs: 0 }],
    });
    expect(text).toContain("Not there: mal.");
  });

  test("[E-29] asked into another group than the one here: whose word that is, what becomes of it, and both buttons", () => {
    const { text, buttons } = shown({
      invitations: [{ from: ben, wasMember: false, missing: [mal], instead: undefined, replaced: mal, atMs: 0 }],
    });
    expect(text).toContain(
      "ben asks you into another group than the one here.  The one here is mal’s word alone: the server has not confirmed it",
    );
    expect(text).toContain("the other takes its place for good; the lines here stay, and what you wrote is not sent by itself.");
    expect(text).toContain("Not there: mal.");
    expect(buttons).toEqual(["Decline", "Accept"]);
  });

  test("[E-31] let in at two places: who let one in where, and a button for each", () => {
    const { text, buttons } = shown({
      invitations: [{ from: ben, wasMember: true, missing: [], instead: mal, replaced: undefined, atMs: 0 }],
    });
    expect(text).toContain("mal has let you back in already, at another place");
    expect(text).toContain("Nothing is sent before you choose.");
    expect(buttons).toEqual(["Stay with mal", "Go with ben"]);
  });
});
