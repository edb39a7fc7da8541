// C31 | a member posts a change whose content its friend the operator keeps back, and welcomes whoever complains into a group of its own | P
// Source: found by trying, 2026-11-28
// Counter-measure: where nobody knows the author only who manages the group lets in again, and only into the group as it was known (G-5, E-24)
import { setTimeout as delay } from "node:timers/promises";
import { decode, encode, equalBytes, fromBase64Url } from "@latchkey/codec";
import { createNodePlatform } from "@latchkey/client/node";
import { credentialOf, groupExtension, openEnvelope, sealEnvelope, sealInboxItem } from "@latchkey/client/testing";
import { createCommit, createGroup, decodeKeyPackage, encodeRatchetTree, exportSecret, groupId } from "@latchkey/mls";
import { accessLabel, complaintCodec, entryHead, httpPaths, joinEntry, welcomeBundleCodec, zeroHash } from "@latchkey/protocol";
import type { Complaint } from "@latchkey/protocol";
import { signedCodec } from "@latchkey/transparency";
import { describe, expect, test } from "vitest";
import { putBlob } from "./testing/hostile-author.ts";
import { Insider } from "./testing/insider.ts";
import { RawLog } from "./testing/raw-log.ts";
import { ask } from "./testing/operator.ts";
import { eventually, hear, host, say, Scene, settle } from "./testing/scene.ts";
import { shows } from "./testing/shown.ts";

const node = createNodePlatform();
const nothing = new Uint8Array(0);

describe("C31 a group of one's own for whoever complains", () => {
  test("the complainer is not led into it: people and roles stay as they were, and nothing is sent there", async (context) => {
    await using scene = await Scene.open();
    const [ada, ben, mal, dee] = [
      await scene.person("ada"),
      await scene.person("ben"),
      await scene.person("mal"),
      await scene.person("dee"),
    ];
    const { id } = await ada.client.startConversation({ to: ["ben", "mal", "dee"], name: "Allotment" });
    await say(ada, id, "hello");
    for (const person of [ben, mal, dee]) await hear(person, id, "hello");
    await settle(ada, ben, mal, dee);
    // Somebody sleeps: the change does not become void.
    await dee.client.close();
    using insider = await Insider.take(scene, mal, id);
    const { state, group, own } = insider;
    const { logId, epoch, opening, chain } = state;
    if (epoch === undefined) throw new Error("an epoch");
    const complaints: Complaint[] = [];
    scene.operator.override({
      request: (_line, body) => {
        if (body.kind !== "append" || body.entryKind !== "complaint") return "pass";
        const address = { key: epoch.envelope, logId, epochId: body.epochId, kind: "complaint", nextAccessHash: zeroHash } as const;
        const opened = openEnvelope({ ...address, blob: body.blob });
        if (opened.kind === "inline") complaints.push(decode(complaintCodec, decode(signedCodec, opened.body.complaint.slice()).body));
        return "pass";
      },
    });
    const access = node.random(32);
    const nextAccessHash = node.sha256(access);
    const nowhere = sealEnvelope({
      key: epoch.envelope,
      logId,
      epochId: epoch.epochId,
      kind: "commit",
      nextAccessHash,
      body: {
        seq: chain.seq,
        mlsMessage: node.random(70_000),
        directoryProofs: nothing,
        settings: nothing,
        complaint: nothing,
        leaves: nothing,
      },
      random: node.random,
      sha256: node.sha256,
    });
    const { external } = nowhere;
    if (external === undefined) throw new Error("its content is too large for an entry");
    // The server takes a change only when it has its content (L-15): so it is the operator who keeps it back.
    const alone = await insider.postBlob(nowhere.blob, nextAccessHash);
    expect(alone).toMatchObject({ kind: "error", code: "unknown_blob" });
    await putBlob(scene.server.url, external);
    const missing = (path: string): Response | undefined =>
      path.startsWith(httpPaths.blobs) ? new Response(undefined, { status: 404 }) : undefined;
    scene.operator.override({ get: (_, path) => missing(path) });
    const first = await insider.postBlob(nowhere.blob, nextAccessHash);
    if (first.kind !== "accepted") throw new Error(first.kind);
    const byBen = (): Complaint | undefined => complaints.find(({ accountId }) => equalBytes(accountId, fromBase64Url(ben.accountId)));
    await eventually(async () => await Promise.resolve(byBen() !== undefined), "ben complains");
    const complaint = byBen();
    if (complaint === undefined) throw new Error("ben complained");

    // A group of Mal's own: the same group id and log, and Mal as its owner.
    const mine = { ...opening, settings: { ...opening.settings, roles: [{ accountId: own.accountId, role: 3 }] } };
    const signatureKeyPair = { secretKey: group.signatureSecretKey, publicKey: state.roster?.own?.signaturePublicKey ?? nothing };
    const founded = await createGroup({
      suite: group.suite,
      groupId: groupId(group),
      credential: credentialOf(own),
      signatureKeyPair,
      lifetime: { notBefore: 1n, notAfter: 1n << 40n },
      extensions: [groupExtension(node.sha256, { host, logId, opening: mine, conversationKind: 2 })],
      random: node.random,
    });
    const created = await createCommit(founded, {
      adds: [decodeKeyPackage(complaint.keyPackage)],
      authenticatedData: nothing,
      random: node.random,
      nowSeconds: BigInt(Math.floor(Date.now() / 1000)),
    });
    // Its epoch begins behind the change that nobody can read.
    const log = new RawLog(scene.server.url);
    const behind = { logId, epochId: first.seq };
    await log.ask({ kind: "open", ...behind, access, afterSeq: first.seq, closed: [] });
    const began = await log.ask({
      kind: "commit",
      ...behind,
      afterSeq: first.seq,
      nextAccessHash: node.sha256(exportSecret(created.next, accessLabel, logId, 32)),
      blob: joinEntry(entryHead([]), node.random(1023)),
      token: nothing,
    });
    log.close();
    const [welcome] = created.welcomes;
    if (began.kind !== "accepted" || welcome === undefined) throw new Error("its epoch is in the log");
    const { seq, head } = began;
    const tree = { kind: "inline", tree: encodeRatchetTree(created.next) } as const;
    const directoryProofs = { kind: "inline", proofs: nothing } as const;
    const beside = { tree, directoryProofs, opening: mine, checkpoint: nothing, ext: nothing };
    const blob = await sealInboxItem({
      platform: node,
      sender: { ...own, secretKey: group.signatureSecretKey },
      recipient: { host, deviceId: complaint.deviceId, inboxId: complaint.inboxId, inboxKey: complaint.inboxKey },
      kind: 1,
      body: encode(welcomeBundleCodec, { format: 2, host, logId, epochId: seq, seq, head, welcome, ...beside }),
      itemId: node.random(16),
      notAfterMs: Date.now() + 20 * 86_400_000,
    });
    const { inboxId } = complaint;
    const posted = await ask(scene.server.url, "post", { kind: "post", inboxId, capability: new Uint8Array(32), blob, token: nothing });
    expect(posted.kind).not.toBe("error");
    await delay(5000);

    const since = scene.mark;
    await ben.client.send(id, "for the allotment").catch(() => undefined);
    await delay(2000);
    expect(await scene.sent(ben, since)).toBe(0);
    const { members } = await ben.client.details(id);
    expect(members.map(({ person, role }) => `${person.username} ${role}`).toSorted()).toEqual([
      "ada owner",
      "ben member",
      "dee member",
      "mal member",
    ]);
    shows(context, "the group stays as it is: ben waits to be let in again by who manages it");
  });
});
