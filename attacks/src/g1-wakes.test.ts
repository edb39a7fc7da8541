// G1 | push tokens tell who writes to whom; a member wakes without end, with tokens of others or false ones, and has servers ask wherever the member likes | R
// Source: letter of Senator Wyden, December 2023
// Counter-measure: another sealed token for each conversation, told in the encryption and shown by who writes on a connection of nobody; an empty message; bounds by token and device; push services that the operator named, and no others (W-1)
import { createWakeContent } from "@latchkey/protocol";
import { decode } from "@latchkey/codec";
import { createNodePlatform } from "@latchkey/client/node";
import { wakeKeysCodec, wakeTokenCodec } from "@latchkey/protocol/wakes";
import { issueCertificate, sealTestWakeToken, startPushService } from "@latchkey/server/testing";
import type { TestPushService } from "@latchkey/server/testing";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeAs } from "./testing/hostile-author.ts";
import { ask } from "./testing/operator.ts";
import { begun, eventually, foundPair, hear, host, say, Scene, settle } from "./testing/scene.ts";
import type { Person } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const { random } = createNodePlatform();
const day = 86_400_000;

// One for all: of two with one name a machine believes one.
const certificate = issueCertificate(["localhost"]);
const authorities = getCACertificates("default");
const services: TestPushService[] = [];
beforeAll(() => setDefaultCACertificates([...authorities, certificate.cert]));
afterAll(async () => {
  setDefaultCACertificates(authorities);
  for (const service of services) await service.close();
});

/** A push service whose certificate this process believes. */
async function pushService(): Promise<TestPushService> {
  const service = await startPushService(certificate);
  services.push(service);
  return service;
}

/** What `post` connections showed that the operator saw. */
function wakesSeen(scene: Scene): { readonly person: string; readonly token: Uint8Array }[] {
  return scene.operator.seen.flatMap(({ person, body }) => (body?.kind === "wake" ? [{ person, token: body.token }] : []));
}

/** What tokens are sealed to. */
async function publicKeyOf(scene: Scene): Promise<Uint8Array> {
  const answer = await ask(scene.server.url, "lookup", { kind: "lookup_operator", name: "wake", knownValues: 0, knownSize: 0 });
  if (answer.kind !== "operator_value") throw new Error(answer.kind);
  return decode(wakeKeysCodec, answer.value[0] ?? new Uint8Array()).publicKey;
}

/** Lets a device be woken, and waits until the conversations were told. */
async function wakeable(person: Person, endpoint: string, told: number, scene: Scene): Promise<void> {
  const before = scene.operator.ciphertexts(person.name, 0);
  await person.client.setPushEndpoint(endpoint);
  await eventually(async () => scene.operator.ciphertexts(person.name, 0) >= before + told, `${person.name} tells tokens`);
  await settle(person);
}

describe("G1 wakes", () => {
  test("[W-1] what is said wakes the other's device, by a token of that conversation alone, which the operator cannot tell from others", async (context) => {
    const service = await pushService();
    await using scene = await Scene.open({}, [service.host]);
    const [ada, ben, cyd] = [await scene.person("ada"), await scene.person("ben"), await scene.person("cyd")];
    const direct = await begun([ada, ben]);
    const group = await begun([ada, ben, cyd], "Allotment");
    await wakeable(ben, `https://${service.host}/of-ben`, 2, scene);
    await settle(ada, cyd);
    await say(ada, direct, "are you there?");
    expect(await service.next()).toMatchObject({ path: "/of-ben", bytes: 0 });
    await say(cyd, group, "the shed is open");
    await service.next();
    const seen = wakesSeen(scene).map(({ token }) => decode(wakeTokenCodec, token));
    expect(seen).toHaveLength(2);
    const [one, other] = seen;
    // All that is alike is the host, its key, and how long it is.
    expect(one?.kemOutput).not.toEqual(other?.kemOutput);
    expect(one?.ciphertext).not.toEqual(other?.ciphertext);
    expect(one?.ciphertext.length).toBe(other?.ciphertext.length);
    expect(Buffer.from(one?.ciphertext ?? []).includes("of-ben")).toBe(false);
    shows(context, "an empty message, and two tokens of one device with nothing in common");
  });

  test("[W-1] who wants to be woken no more is not, and neither is the device that wrote, nor another of its account", async (context) => {
    const service = await pushService();
    await using scene = await Scene.open({}, [service.host]);
    const { ada, ben, id } = await foundPair(scene);
    await wakeable(ben, `https://${service.host}/of-ben`, 1, scene);
    await wakeable(ada, `https://${service.host}/of-ada`, 1, scene);
    await settle(ada, ben);
    await say(ada, id, "one");
    expect((await service.next()).path).toBe("/of-ben");
    const before = scene.operator.ciphertexts("ben", 0);
    await ben.client.setPushEndpoint(undefined);
    await eventually(async () => scene.operator.ciphertexts("ben", 0) > before, "ben takes the token back");
    await settle(ben, ada);
    const mark = wakesSeen(scene).length;
    await say(ada, id, "two");
    await hear(ben, id, "two");
    await new Promise((resolve) => void setTimeout(resolve, 3000));
    expect(wakesSeen(scene).length).toBe(mark);
    expect(service.requests.map(({ path }) => path)).toEqual(["/of-ben"]);
    shows(context, "nobody is woken");
  });

  test("[W-1] a member who tells tokens that are none, of elsewhere, or of a stranger's choice leads nobody's client and no server anywhere", async (context) => {
    const service = await pushService();
    const inside = await pushService();
    await using scene = await Scene.open({}, [service.host]);
    const { ada, ben: mal, id } = await foundPair(scene);
    const keys = await ada.client.pushKey();
    expect(keys?.services).toEqual([service.host]);
    const sentAtMs = Date.now();
    const told = (wakeToken: Uint8Array): { readonly plaintext: Uint8Array } => ({
      plaintext: createWakeContent({ salt: random(16), sentAtMs, wakeToken }),
    });
    const publicKey = await publicKeyOf(scene);
    const elsewhere = await sealTestWakeToken({ host, publicKey, endpoint: `https://${inside.host}/admin`, notAfterMs: sentAtMs + day });
    await writeAs(scene, mal, id, [told(random(2048)), told(new Uint8Array(0)), told(random(1)), told(elsewhere)]);
    await settle(ada);
    await say(ada, id, "hello again");
    await eventually(async () => wakesSeen(scene).length > 0, "the last token is shown");
    await new Promise((resolve) => void setTimeout(resolve, 500));
    expect([service.requests, inside.requests]).toEqual([[], []]);
    expect(await ada.alarms()).toEqual([]);
    shows(context, "one request of the one client, none of the server");
  });
});
