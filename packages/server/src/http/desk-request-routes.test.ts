import { deskRequestFilesPath, requestLimits } from "@latchkey/protocol/desk";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { intakeOf } from "../desk/office/requests/requests.testing.ts";
import { sha256 } from "../hash.ts";
import { toHex } from "@latchkey/codec";
import { beginDesk } from "../testing/desk-page.ts";
import { DeskPage } from "../testing/desk-page.ts";
import { random, runServer, temporaryDirectory } from "../testing/fixtures.ts";

async function running(): Promise<{ dataDirectory: string; url: string; page: DeskPage; number: number }> {
  const dataDirectory = temporaryDirectory();
  const { url } = await runServer({ dataDirectory });
  const { page } = await beginDesk({ dataDirectory, url });
  const { request } = await page.ask("request-open", { intake: intakeOf({ receivedAtMs: Date.now() - 1000 }) });
  return { dataDirectory, url, page, number: request.number };
}

const begin = async (page: DeskPage, number: number, sizeBytes: number): Promise<number> =>
  (await page.ask("request-file-begin", { number, name: "Beschluss.pdf", mediaType: "application/pdf", sizeBytes })).file;

function put(page: DeskPage, at: string, body: Uint8Array | ReadableStream, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${page.url}${deskRequestFilesPath}/${at}`, {
    method: "PUT",
    headers: { cookie: page.cookie, "content-type": "application/octet-stream", ...headers },
    body: body as RequestInit["body"] & {},
    ...(body instanceof ReadableStream ? { duplex: "half" } : {}),
  });
}

const get = (page: DeskPage, at: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${page.url}${deskRequestFilesPath}/${at}`, { headers: { cookie: page.cookie, ...headers } });

test("[F-17] a file comes in parts and is given out as it came, to be saved and never shown; on disk it is unreadable", async () => {
  const { page, number, dataDirectory } = await running();
  const marker = Buffer.from("the order of the court of Tiergarten");
  const bytes = new Uint8Array(Buffer.concat([marker, random(2_500_000)]));
  const file = await begin(page, number, bytes.length);
  const at = `${String(number)}/${String(file)}`;
  expect((await get(page, at)).status).toBe(404);
  const done = await put(page, at, bytes);
  expect([done.status, await done.json()]).toEqual([200, { hereBytes: bytes.length }]);
  const response = await get(page, at);
  expect([response.status, response.headers.get("content-disposition"), response.headers.get("content-type")]).toEqual([
    200,
    "attachment",
    "application/octet-stream",
  ]);
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(Buffer.compare(Buffer.from(await response.arrayBuffer()), bytes)).toBe(0);
  const { request } = await page.ask("request-get", { number });
  expect(request.files).toMatchObject([
    { number: file, name: "Beschluss.pdf", mediaType: "application/pdf", sizeBytes: bytes.length, sha256: toHex(sha256(bytes)) },
  ]);
  const stored = readdirSync(dataDirectory).filter((name) => name.startsWith("desk.sqlite"));
  for (const name of stored) {
    const content = readFileSync(join(dataDirectory, name));
    expect([name, content.includes(marker), content.includes("Beschluss")]).toEqual([name, false, false]);
  }
  const { entries } = await page.ask("trail-list", { after: 0 });
  expect(entries.map(({ act }) => act)).toEqual(expect.arrayContaining(["request file announced", "request file", "request file read"]));
});

test("[F-17] [E-213] a gigabyte is refused before any of it is read, and so is more than was announced", async () => {
  const { page, number } = await running();
  const announced = { number, name: "big.bin", mediaType: "application/octet-stream", sizeBytes: 1_073_741_824 };
  expect(await page.refusal("request-file-begin", announced)).toBe("limit");
  const file = await begin(page, number, 1000);
  const at = `${String(number)}/${String(file)}`;
  let pulled = 0;
  const endless = new ReadableStream({
    pull(controller) {
      pulled += 1;
      controller.enqueue(new Uint8Array(65_536));
    },
  });
  // Without a length: cut off at what was announced.
  const response = await put(page, at, endless).catch(() => undefined);
  if (response !== undefined) expect(response.status).toBe(413);
  expect(pulled).toBeLessThan(200);
  expect((await put(page, at, new Uint8Array(1001))).status).toBe(413);
  expect((await page.ask("request-get", { number })).request.files).toMatchObject([{ hereBytes: 0 }]);
  expect((await put(page, at, new Uint8Array(1000))).status).toBe(200);
});

test("[F-17] a file counts once for its session, of however many parts it is: none breaks off since there were many", async () => {
  const dataDirectory = temporaryDirectory();
  const { url } = await runServer({ dataDirectory }, { passedMs: () => 1000 });
  const { page } = await beginDesk({ dataDirectory, url });
  const { number } = (await page.ask("request-open", { intake: intakeOf({ receivedAtMs: Date.now() - 1000 }) })).request;
  const bytes = random(2 * requestLimits.partBytes + 1);
  const at = `${String(number)}/${String(await begin(page, number, bytes.length))}`;
  expect((await put(page, at, bytes)).status).toBe(200);
  // A session may ask 240 times at once.
  for (let read = 0; read < 100; read++) expect((await (await get(page, at)).bytes()).length).toBe(bytes.length);
});

test("[F-17] a request has room for so much; what is removed gives it back", async () => {
  const { page, number } = await running();
  const full = requestLimits.requestBytes / requestLimits.fileBytes;
  for (let files = 0; files < full; files += 1) await begin(page, number, requestLimits.fileBytes);
  const one = { number, name: "a", mediaType: "text/plain", sizeBytes: 1 };
  expect(await page.refusal("request-file-begin", one)).toBe("limit");
  const { revision } = (await page.ask("request-get", { number })).request;
  await page.ask("request-file-remove", { number, revision, file: 1 });
  expect(await begin(page, number, requestLimits.fileBytes)).toBe(full + 1);
  for (const bad of [
    { ...one, sizeBytes: 0 },
    { ...one, sizeBytes: -1 },
    { ...one, mediaType: "text/html; x" },
    { ...one, name: "" },
  ]) {
    expect(await page.refusal("request-file-begin", bad)).toBe("malformed");
  }
});

test("[F-17] what breaks off goes on where it broke off, and nowhere else", async () => {
  const { page, number } = await running();
  const bytes = random(2_000_000);
  const file = await begin(page, number, bytes.length);
  const at = `${String(number)}/${String(file)}`;
  expect((await put(page, at, bytes.slice(0, 1_500_000))).status).toBe(200);
  const here = (await page.ask("request-get", { number })).request.files[0]?.hereBytes ?? 0;
  expect(here).toBe(1_048_576);
  for (const offset of ["5", "-1048576", "2097152", "x", "Infinity"])
    expect((await put(page, at, bytes.slice(5), { "upload-offset": offset })).status).toBe(409);
  expect((await put(page, at, bytes.slice(here), { "upload-offset": String(here) })).status).toBe(200);
  expect(Buffer.compare(Buffer.from(await (await get(page, at)).arrayBuffer()), bytes)).toBe(0);
});

test("[F-17] [E-213] what came and whose answer was lost is taken when it comes again, the last part too, and counts once; other bytes are not", async () => {
  const { page, number } = await running();
  const bytes = random(1_500_000);
  const file = await begin(page, number, bytes.length);
  const at = `${String(number)}/${String(file)}`;
  const parts = [
    { from: "0", part: bytes.slice(0, requestLimits.partBytes) },
    { from: String(requestLimits.partBytes), part: bytes.slice(requestLimits.partBytes) },
  ];
  for (const { from, part } of parts) {
    const headers = { "upload-offset": from };
    for (let times = 0; times < 2; times += 1) expect((await put(page, at, part, headers)).status).toBe(200);
    expect((await put(page, at, random(part.length), headers)).status).toBe(409);
  }
  expect(Buffer.compare(Buffer.from(await (await get(page, at)).arrayBuffer()), bytes)).toBe(0);
  expect((await page.ask("request-get", { number })).request.files).toMatchObject([{ sha256: toHex(sha256(bytes)) }]);
  const { entries } = await page.ask("trail-list", { after: 0 });
  expect(entries.filter(({ act }) => act === "request file")).toHaveLength(1);
});

test("[F-17] nobody without a session, of another site, or of another role puts or gets a file", async () => {
  const { page, number, url } = await running();
  const file = await begin(page, number, 10);
  const at = `${String(number)}/${String(file)}`;
  const bytes = new Uint8Array(10);
  expect((await put(new DeskPage(url), at, bytes)).status).toBe(401);
  expect((await put(page, at, bytes, { origin: "https://evil.example" })).status).toBe(404);
  expect((await put(page, at, bytes, { "sec-fetch-site": "cross-site" })).status).toBe(404);
  expect((await put(page, at, bytes)).status).toBe(200);
  expect((await get(new DeskPage(url), at)).status).toBe(401);
  expect((await get(page, at, { "sec-fetch-site": "cross-site" })).status).toBe(404);
  const { code } = await page.ask("staff-invite", { name: "Aud", roles: ["auditor"] });
  const auditor = new DeskPage(url);
  await auditor.enrol(code);
  expect((await get(auditor, at)).status).toBe(403);
  expect((await put(auditor, at, bytes)).status).toBe(403);
  for (const bad of ["0/1", "1/99", "x/y", "1/1e9", "99/1"]) expect((await get(page, bad)).status).toBe(404);
});

test("[F-15] a document of a mebibyte is read, a larger one refused; other operations take no more than they did", async () => {
  const { page } = await running();
  const text = `<a>${"x".repeat(requestLimits.importBytes - 7)}</a>`;
  expect((await page.ask("request-import", { text })).draft.notUnderstood[0]?.value.length).toBe(501);
  expect(await page.refusal("request-import", { text: `${text} ` })).toBe("malformed");
  expect((await page.send("request-import", { text: "\u0001".repeat(500_000) })).status).toBe(413);
  expect((await page.send("request-note", { number: 1, text: "x".repeat(200_000) })).status).toBe(413);
});
