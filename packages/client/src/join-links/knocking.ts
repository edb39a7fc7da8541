import { CodecError, decode, equalBytes, equalSecrets, toBase64Url } from "@latchkey/codec";
import { admissionCodec, linkShareCodec } from "@latchkey/protocol";
import type { Admission, LinkShare } from "@latchkey/protocol";
import type { ClientErrorCode, JoinLinkPreview, OwnKnock as ShownKnock } from "../api.ts";
import { invitersIn } from "../core/join-links.ts";
import { isSameDevice, leafOf } from "../core/roster.ts";
import { isCaughtUp } from "../core/turn.ts";
import type { DeviceReference } from "../core/types.ts";
import type { ConversationRunner } from "../engine/conversation-runner.ts";
import type { World } from "../engine/world.ts";
import { ClientError, notReadYet } from "../errors.ts";
import { isInboxKey } from "../group/inbox-seal.ts";
import { cleanName } from "../names/clean.ts";
import { find, withShare } from "./book.ts";

import { keyHashOf, sealKnock } from "./knock.ts";
import * as inbox from "./link-inbox.ts";
import { linkNames } from "./link-keys.ts";
import type { OwnKnock, StoredLinks } from "./stored-links.ts";
import { parseJoinLink } from "./link-text.ts";

/** Why a knock is nowhere: anything else may have come after it arrived. */
const notTaken: ReadonlySet<ClientErrorCode> = new Set(["join_link_gone", "waiting_room_full", "clock_skew"]);
/** How long a knock waits to be seen. */
const knockLifeMs = 25 * 86_400_000;
/** Places where a person waits at once. */
const maxKnocks = 64;

/** What a link says of itself, as it may be shown. @throws ClientError `invalid_join_link` */
export function previewOf(link: string): JoinLinkPreview {
  const { host, name } = parseJoinLink(link);
  return { host, name: cleanName(name) };
}

/** Asks to be let in where a link leads (spec X-14). @throws ClientError as the API says */
export async function knockAt(world: World, link: string): Promise<ShownKnock> {
  const { platform, own, directory, connections, store, watch } = world;
  const code = parseJoinLink(link);
  const { host, linkId } = code;
  connections.httpUrl(host);
  const { hold } = watch;
  if (hold !== undefined) throw new ClientError(hold.code, hold.message, { canRetry: hold.canRetry });
  // Somebody who was shown another public record would be let in by names that mean somebody else.
  if (!equalBytes(code.directory, directory.log.pinned(host)))
    throw new ClientError("directory_fork", "Whoever made this link was shown another public record of the server. Ask them in person.");
  const publicKey = await inbox.keyOf(world, host, linkId);
  if (publicKey === undefined) throw inbox.linkGone();
  if (!equalSecrets(keyHashOf(platform.sha256, publicKey), code.keyHash) || !(await isInboxKey(platform, publicKey)))
    throw new ClientError("server_lied", "The server has another key for this link than the link says. Nothing was sent.");
  const nowMs = platform.nowMs();
  const links = await world.joinLinks.open();
  const isHere = (other: OwnKnock): boolean => equalBytes(other.linkId, linkId);
  const before = links.knocks.find(isHere);
  const knock: OwnKnock = {
    linkId,
    host,
    name: cleanName(code.name),
    // Whoever lets this person in may have looked before they asked again, and shows the answer of then.
    answer: (before ?? links.withdrawn.find(isHere))?.answer ?? platform.random(32),
    sentAtMs: nowMs,
    notAfterMs: nowMs + knockLifeMs,
  };
  const { accountId, deviceId, signatureKeyPair } = own;
  const sender = { host: own.host, accountId, deviceId, secretKey: signatureKeyPair.secretKey };
  const { answer, notAfterMs } = knock;
  const blob = await sealKnock({ platform, sender, link: code, publicKey, answer, notAfterMs });
  if (before === undefined && pending(world, links).length >= maxKnocks)
    throw new ClientError("rate_limited", "You wait at too many links already.");
  // Before it is sent: whoever answers it may be faster than the server's answer.
  await store.transact("write", (tx) => {
    for (const old of links.knocks) if (old.notAfterMs <= nowMs) links.endKnock(tx, old.linkId);
    for (const old of links.withdrawn) if (old.notAfterMs <= nowMs) links.forgetWithdrawn(tx, old.linkId);
    links.putKnock(tx, knock);
  });
  try {
    await inbox.knock(world, host, { linkId, blob });
  } catch (error) {
    const isLost = error instanceof ClientError && notTaken.has(error.code);
    // Else it may have arrived; and one that waits there from before is still answered.
    if (isLost) await store.transact("write", (tx) => (before === undefined ? links.endKnock(tx, linkId) : links.putKnock(tx, before)));
    throw error;
  }
  world.emit({ kind: "knocks" });
  return shown(knock);
}

/** Where this person waits, newest first. */
export async function ownKnocks(world: World): Promise<readonly ShownKnock[]> {
  return pending(world, await world.joinLinks.open())
    .map(shown)
    .toSorted((a, b) => b.sentAtMs - a.sentAtMs);
}

/** The person waits there no more: what answers that knock is nothing, unless they ask there again. @throws ClientError `unknown_join_link` */
export async function withdrawKnock(world: World, linkId: string): Promise<void> {
  const links = await world.joinLinks.open();
  const knock = pending(world, links).find((one) => toBase64Url(one.linkId) === linkId);
  if (knock === undefined) throw new ClientError("unknown_join_link", "You do not wait there, or not any more.");
  await world.store.transact("write", (tx) => links.withdrawKnock(tx, knock));
  world.emit({ kind: "knocks" });
}

function pending({ platform }: World, links: StoredLinks): readonly OwnKnock[] {
  return links.knocks.filter(({ notAfterMs }) => notAfterMs > platform.nowMs());
}

function shown({ linkId, host, name, sentAtMs, notAfterMs }: OwnKnock): ShownKnock {
  return { linkId: toBase64Url(linkId), host, name, sentAtMs, expiresAtMs: notAfterMs };
}

/**
 * Somebody lets this person in: by the answer that their knock told to nobody but those who have the link's keys. Whoever sent it is accepted
 * (spec I-4), so that their Welcome joins, the one that waits already too. What answers no knock is nothing.
 */
export async function takeAdmission(world: World, sender: DeviceReference, body: Uint8Array): Promise<void> {
  const { standings, store } = world;
  const links = await world.joinLinks.open();
  const admission = parse<Admission>(() => decode(admissionCodec, body));
  if (admission === undefined) return;
  const knock = pending(world, links).find(({ linkId }) => equalBytes(linkId, admission.linkId));
  if (knock === undefined || !equalSecrets(knock.answer, admission.answer)) return;
  await standings.accept([sender.accountId.slice()]);
  await store.transact("write", (tx) => links.endKnock(tx, knock.linkId));
  world.emit({ kind: "knocks" });
}

/**
 * A device that has a link gave it to this one (spec X-14): taken of members who have the right to it where this device has it too. What the log
 * said of the link counts, whatever comes along. @throws ClientError while the log was not read so far
 */
export async function takeShare(
  world: World,
  {
    runners,
    sender,
    body,
  }: { readonly runners: readonly ConversationRunner[]; readonly sender: DeviceReference; readonly body: Uint8Array },
): Promise<void> {
  const { joinLinks, platform, store, own } = world;
  const links = await joinLinks.open();
  const share = parse<LinkShare>(() => decode(linkShareCodec, body));
  if (share === undefined) return;
  const runner = runners.find(({ state }) => state.host === share.host && equalBytes(state.logId, share.logId));
  if (runner === undefined) return;
  await runner.load();
  const { state } = runner;
  if (!isCaughtUp(state)) throw notReadYet();
  const { roster } = state;
  if (roster === undefined || leafOf(roster, sender) === undefined) return;
  const inviters = invitersIn(roster);
  // Who gave it may have read of the right already, where this device has not: it is looked at again, less and less often.
  if (![sender, own].every((device) => inviters.some((leaf) => isSameDevice(leaf, device)))) throw notReadYet();
  const names = linkNames(platform, share.seed);
  const known = find(links.of(state.id), names.linkId);
  if (links.held(state.id, names.linkId) !== undefined || (known !== undefined && !equalBytes(known.linkHash, names.linkHash))) return;
  await store.transact("write", (tx) => {
    const book = withShare(links.of(state.id), share, names);
    links.put(tx, state.id, book);
    if (find(book, names.linkId) === undefined) return;
    links.hold(tx, state.id, names.linkId, { seed: share.seed.slice(), told: [], isInboxClosed: false, name: share.name });
  });
  joinLinks.changed(state.id);
}

function parse<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof CodecError) return undefined;
    throw error;
  }
}
