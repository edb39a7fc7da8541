import "../testing/english.ts";
import { renderToStaticMarkup } from "react-dom/server";
import { expect, test } from "vitest";
import type { ClientErrorCode } from "@latchkey/client";
import { fileKey, initialState } from "../state/app-state.ts";
import { AppContext } from "../state/context.ts";
import type { App } from "../state/context.ts";
import { createStore } from "../state/store.ts";
import { testMessage } from "../testing/fixtures.ts";
import { UploadCause } from "./UploadCause.tsx";

const file = { id: "f", kind: "file", name: "a.pdf", mediaType: "application/pdf", sizeBytes: 1, description: "" } as const;
const message = testMessage({ order: 1, files: [file] });

function shown(cause: ClientErrorCode | undefined): string {
  const state = { kind: "sending", sentBytes: 0, totalBytes: 1, cause } as const;
  const store = createStore({ ...initialState, files: new Map([[fileKey(message.id, file.id), state]]) });
  // Of the app only its state is looked at.
  const app = { controller: { store } } as unknown as App;
  return renderToStaticMarkup(
    <AppContext value={app}>
      <UploadCause message={message} />
    </AppContext>,
  );
}

test("what keeps a file from going on is said, with what to do; that the network is gone is said elsewhere", () => {
  expect(shown("server_full")).toMatch(/full|space|room/);
  expect(shown("storage_full")).toContain("Make room");
  expect([shown("offline"), shown(undefined)]).toEqual(["", ""]);
});
