import { deskRequestPackagesPath } from "@latchkey/protocol/desk";
import { verifyRelease } from "@latchkey/releases";
import { expect, test } from "vitest";
import { intakeOf } from "../desk/office/requests/requests.testing.ts";
import { addColleague, beginDesk } from "../testing/desk-page.ts";
import { register, runServer, temporaryDirectory } from "../testing/fixtures.ts";

test("[F-7] on a running server two people's passkeys let go what it holds about one account, and nothing of another, as a file to be saved", async () => {
  const dataDirectory = temporaryDirectory();
  const server = await runServer({ dataDirectory });
  const { page: ada, authenticator } = await beginDesk({ dataDirectory, url: server.url });
  const ofBo = { name: "Bo", roles: ["reviewer"] } as const;
  const { page: bo, authenticator: bosKey } = await addColleague({ dataDirectory, page: ada, authenticator }, ofBo);
  const [alice, mallory] = [await register(server, "alice"), await register(server, "mallory")];
  const intake = intakeOf({
    receivedAtMs: Date.now() - 1000,
    secrecy: { kind: "none" },
    identifiers: [{ kind: "username", value: "alice" }],
  });
  let { request } = await ada.ask("request-open", { intake });
  const at = async (): Promise<{ number: number; revision: number }> => {
    ({ request } = await ada.ask("request-get", { number: request.number }));
    return { number: request.number, revision: request.revision };
  };
  const verification = { how: "call-back", contact: "+49 30 12345678", foundIn: "The court's page", answeredBy: "Registry" } as const;
  // The copy is made at once, beside this.
  while ((await ada.send("request-verify", { ...(await at()), verification })).status !== 200);
  await ada.ask("request-identify", { ...(await at()), place: 1 });
  await ada.ask("request-package", await at());
  for (const [page, key] of [
    [ada, authenticator],
    [bo, bosKey],
  ] as const) {
    const { options } = await page.ask("request-approve-begin", await at());
    await page.ask("request-approve-finish", { ...(await at()), response: key.get(options) });
  }
  const path = `${server.url}${deskRequestPackagesPath}/${String(request.number)}`;
  const get = (cookie: string, headers: Record<string, string> = {}): Promise<Response> => fetch(path, { headers: { cookie, ...headers } });
  expect((await get(ada.cookie)).status).toBe(404);
  await ada.ask("request-release", await at());
  const response = await get(ada.cookie);
  expect([response.status, response.headers.get("content-type"), response.headers.get("cache-control")]).toEqual([
    200,
    "application/zip",
    "no-store",
  ]);
  expect(response.headers.get("content-disposition")).toBe('attachment; filename="release-1.zip"');
  const zip = new Uint8Array(await response.arrayBuffer());
  const check = await verifyRelease(zip, { host: server.host });
  expect(check.problems).toEqual([]);
  const ids = [alice, mallory].map(({ account }) => Buffer.from(account.accountId).toString("base64url"));
  expect(check.manifest.files.map(({ accountId }) => accountId)).toEqual([ids[0]]);
  const text = Buffer.from(zip).toString("latin1");
  expect([text.includes(ids[0] ?? ""), text.includes(ids[1] ?? ""), text.includes("mallory")]).toEqual([true, false, false]);
  // By nobody else, and by no other page.
  expect((await get("")).status).toBe(401);
  expect((await get(ada.cookie, { "sec-fetch-site": "cross-site" })).status).toBe(404);
  expect((await fetch(`${path}x`, { headers: { cookie: ada.cookie } })).status).toBe(404);
});
