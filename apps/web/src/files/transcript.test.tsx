import "../testing/english.ts";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import { initialState } from "../state/app-state.ts";
import { AppContext } from "../state/context.ts";
import type { App } from "../state/context.ts";
import { createStore } from "../state/store.ts";
import { testMessage } from "../testing/fixtures.ts";
import { Transcript } from "./Transcript.tsx";

const voice = { id: "f", kind: "voice", name: "voice.webm", mediaType: "audio/webm", sizeBytes: 1, description: "" } as const;

function shown(transcript?: string): string {
  const file = { ...voice, transcript };
  const message = testMessage({ order: 1, files: [file] });
  // Of the app only its client is asked, and not before something is on the screen.
  const app = { controller: { store: createStore(initialState), client: {} } } as unknown as App;
  return renderToStaticMarkup(
    <AppContext value={app}>
      <Transcript message={message} file={file} />
    </AppContext>,
  );
}

test("[X-27] what is said stands below the sound as what this device heard, folded where it is long; nothing is offered where nothing writes it down", () => {
  expect(shown()).toBe("");
  expect(shown("Meet me at <b>noon</b>")).toMatch(/<details[^>]* open=""[^>]*><summary>.*heard.*<\/summary>.*Meet me at &lt;b&gt;noon/);
  expect(shown("word ".repeat(200))).not.toMatch(/<details[^>]* open/);
});
