// G13 | the server's disk, or a copy of the desk's database, is seized | P
// Source: FBI "Lawful Access" chart 2021; promise P1: what is not there cannot be taken
// Counter-measure: no content, no keys; what is kept for requests is sealed under the request's key and the desk's own, in two files; deleted means erased (F-14, F-18)
import type { RequestIntake } from "@latchkey/protocol/desk";
import { beginDesk } from "@latchkey/server/testing";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createDecipheriv, createHmac } from "node:crypto";
import { describe, expect, test } from "vitest";
import { host, Scene } from "./testing/scene.ts";

const intake = (): RequestIntake => ({
  type: "eu-production-order",
  receivedAtMs: Date.now() - 1000,
  channel: "portal",
  authority: { name: "Court of Somewhere", country: "DE", reference: "1 Gs 1/26" },
  officer: { name: "Judge Roe" },
  addressee: "chat",
  legalBasis: "Regulation (EU) 2023/1543, Art. 5",
  language: "de",
  isEmergency: false,
  identifiers: [{ kind: "username", value: "alice" }],
  categories: ["subscriber"],
  secrecy: { kind: "none" },
  deliverTo: "The portal",
});

/** Opens what was sealed under a key by itself, as the desk's older files are. */
function openWith(key: Uint8Array, sealed: Uint8Array): Buffer {
  const inner = createHmac("sha256", key).update("latchkey/desk/seal").update(Uint8Array.of(0)).update(new Uint8Array()).digest();
  const decipher = createDecipheriv("aes-256-gcm", inner, sealed.slice(0, 12));
  decipher.setAuthTag(sealed.slice(-16));
  return Buffer.concat([decipher.update(sealed.slice(12, -16)), decipher.final()]);
}

describe("G13", () => {
  test("the desk's database alone opens neither copies nor packages, and once they are over nobody's disk has them", async () => {
    await using scene = await Scene.open();
    const dataDirectory = join(scene.folder, "server");
    const { page } = await beginDesk({ dataDirectory, url: scene.server.url, origin: `https://${host}` });
    const id = (await (await scene.person("alice")).client.account())?.accountId ?? "";
    const { request } = await page.ask("request-open", { intake: intake() });
    const number = request.number;
    const seized = (): { key: Uint8Array; body: Uint8Array; copies: readonly Uint8Array[] } => {
      const database = new DatabaseSync(join(dataDirectory, "desk.sqlite"), { readOnly: true });
      const row = database.prepare("SELECT key, body FROM requests").get();
      const copies = database.prepare("SELECT bytes, account_id AS account FROM request_copies").all();
      database.close();
      return {
        key: row?.["key"] as Uint8Array,
        body: row?.["body"] as Uint8Array,
        copies: copies.flatMap(({ bytes, account }) => [bytes as Uint8Array, account as Uint8Array]),
      };
    };
    while (seized().copies.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    const { key, body, copies } = seized();
    // Residual: what the request itself says lies beside its key, so whoever has the database reads whom it names.
    expect(openWith(key, body).toString()).toContain("alice");
    for (const sealed of copies) expect(() => openWith(key, sealed)).toThrow();
    const onDisk = (): string =>
      readdirSync(dataDirectory)
        .filter((name) => name.startsWith("desk.sqlite"))
        .map((name) => readFileSync(join(dataDirectory, name)).toString("latin1"))
        .join("");
    expect(onDisk()).not.toContain(id);
    // Ended: the rows are gone, and with them what whoever has both files could open.
    const { revision } = (await page.ask("request-get", { number })).request;
    await page.ask("request-refuse", { number, revision, reason: "not-verified", words: "No such court" });
    expect(seized().copies).toEqual([]);
  });
});
