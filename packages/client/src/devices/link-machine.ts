/**
 * The linking of a device (spec A-7), both sides, as a machine that does no I/O: entries of the rendezvous and what the people
 * say go in, entries to append and what to do comes out.
 *
 * ```
 *   new:       offered --answer--> compared --yes--> enrolling --> enrolled --account--> receiving --stored--> linked
 *   existing:  joining --offer--> answered --reveal--> compared --yes, enroll--> publishing --published--> sent --stored--> linked
 *
 *   any of them but linked --no, cancel, expired, what must not happen--> failed
 * ```
 *
 * Invariants:
 * - The new device's nonce is promised before it sees the existing one's, which is told before that promise is opened: somebody
 *   between both devices who knows the code has one guess in a million at equal digits.
 * - Nothing of the account leaves the existing device before its own person said that the digits are the same.
 * - The new device proves possession of its key for no account before its person said so, and stores none before `account`.
 * - `undo` comes out once if and only if a state with the new device may have been published and the linking failed.
 */
import { CodecError, decode, encode, equalBytes, utf8Bytes } from "@latchkey/codec";
import { MlsError } from "@latchkey/mls";
import type { CipherSuite, KeyPair, RandomBytes } from "@latchkey/mls";
import type { DeviceEntry } from "@latchkey/transparency";
import type { ClientErrorCode } from "../api.ts";
import type { LinkPlace } from "./link-code.ts";
import {
  channelKeys,
  commitmentOf,
  digitsOf,
  linkAnswerCodec,
  linkMessageCodec,
  openChannel,
  openLinkMessage,
  sealChannel,
  sealLinkMessage,
  transcriptOf,
} from "./link-messages.ts";
import type { ChannelKeys, ChannelMessage, LinkAnswer, LinkBody, LinkMessage, LinkRole } from "./link-messages.ts";

/** What the machine may use of the world. */
export interface LinkContext {
  readonly random: RandomBytes;
  /** X-Wing. */
  readonly suite: CipherSuite;
}

/** Who the existing device is. */
export type LinkIdentity = Pick<LinkAnswer, "host" | "accountId" | "username" | "deviceName">;

type Phase =
  | { readonly kind: "offered"; readonly keyPair: KeyPair; readonly nonce: Uint8Array; readonly offer: LinkMessage }
  | { readonly kind: "joining"; readonly identity: LinkIdentity }
  | { readonly kind: "answered"; readonly offer: LinkMessage; readonly answer: LinkMessage; readonly said: LinkAnswer }
  /** `said` of the new device, `enrolment` of the existing one; `confirmed` once its own person said yes. */
  | {
      readonly kind: "compared";
      readonly keys: ChannelKeys;
      readonly confirmed: boolean;
      readonly enrolment: Extract<ChannelMessage, { kind: "enroll" }> | undefined;
      readonly identity: LinkIdentity;
    }
  | { readonly kind: "enrolling" | "enrolled" | "receiving"; readonly keys: ChannelKeys }
  | { readonly kind: "publishing" | "sent"; readonly keys: ChannelKeys }
  | { readonly kind: "linked" }
  | { readonly kind: "failed"; readonly code: ClientErrorCode };

/** One side of a linking. Immutable. */
export interface LinkMachine {
  readonly role: LinkRole;
  readonly place: LinkPlace;
  readonly phase: Phase;
  /** The next message of the other side, and of one's own. */
  readonly expected: number;
  readonly next: number;
  /** Entries that this side made: another one in its name means that the code was used before. */
  readonly own: readonly Uint8Array[];
  /** Entries taken in, readable or not: bounded, since whoever knows the code may write. */
  readonly entries: number;
}

export type LinkInput =
  /** An entry of the rendezvous, in the order of its log; one's own too. */
  | { readonly kind: "entry"; readonly blob: Uint8Array }
  /** Whether the digits are the same on both screens. */
  | { readonly kind: "confirm"; readonly same: boolean }
  /** New device, after `enroll`: its entry and its proof of possession. */
  | { readonly kind: "enrolment"; readonly device: DeviceEntry; readonly pop: Uint8Array }
  /** Existing device, after `publish`: the state is in the public log; what the new device gets. */
  | { readonly kind: "published"; readonly message: Extract<ChannelMessage, { kind: "account" | "account_blob" }> }
  /** New device, after `store`. */
  | { readonly kind: "stored" }
  | { readonly kind: "cancel" }
  | { readonly kind: "expired" }
  /** What an effect asked for cannot be done. */
  | { readonly kind: "failed"; readonly code: ClientErrorCode };

export type LinkEffect =
  | { readonly kind: "append"; readonly blob: Uint8Array }
  | { readonly kind: "compare"; readonly digits: string; readonly deviceName: string; readonly identity: LinkIdentity | undefined }
  | { readonly kind: "enroll"; readonly identity: LinkIdentity }
  | { readonly kind: "publish"; readonly device: DeviceEntry; readonly pop: Uint8Array }
  | { readonly kind: "store"; readonly message: Extract<ChannelMessage, { kind: "account" | "account_blob" }> }
  | { readonly kind: "linked" }
  /** The state with the new device may be published: take it out again. */
  | { readonly kind: "undo" }
  | { readonly kind: "failed"; readonly code: ClientErrorCode };

export interface LinkTurn {
  readonly machine: LinkMachine;
  readonly effects: readonly LinkEffect[];
}

/** An honest linking has eight entries; the rest is somebody else's noise. */
const maxEntries = 64;
const answerInfo = utf8Bytes("latchkey/link/1");

/** The new device's side: its first entry offers its key. */
export async function beginNewSide(context: LinkContext, place: LinkPlace, deviceName: string): Promise<LinkTurn> {
  const keyPair = await context.suite.deriveKemKeyPair(context.random(32));
  const nonce = context.random(32);
  const body: LinkBody = { kind: "offer", publicKey: keyPair.publicKey, commitment: commitmentOf(nonce), deviceName };
  const offer: LinkMessage = { format: 1, sender: "new", index: 0, body };
  const blob = sealLinkMessage(place, offer, context.random);
  const machine: LinkMachine = {
    role: "new",
    place,
    phase: { kind: "offered", keyPair, nonce, offer },
    expected: 0,
    next: 1,
    own: [blob],
    entries: 0,
  };
  return { machine, effects: [{ kind: "append", blob }] };
}

/** The existing device's side: waits for the offer. */
export function beginExistingSide(place: LinkPlace, identity: LinkIdentity): LinkMachine {
  return { role: "existing", place, phase: { kind: "joining", identity }, expected: 0, next: 0, own: [], entries: 0 };
}

/** Takes one input. */
export async function stepLink(context: LinkContext, machine: LinkMachine, input: LinkInput): Promise<LinkTurn> {
  const { phase } = machine;
  if (phase.kind === "linked" || phase.kind === "failed") return { machine, effects: [] };
  switch (input.kind) {
    case "entry":
      return await onEntry(context, machine, input.blob);
    case "confirm":
      return onConfirm(context, machine, input.same);
    case "enrolment": {
      if (phase.kind !== "enrolling") return { machine, effects: [] };
      const { device, pop } = input;
      return say(context, { ...machine, phase: { ...phase, kind: "enrolled" } }, phase.keys, { kind: "enroll", device, pop });
    }
    case "published":
      if (phase.kind !== "publishing") return { machine, effects: [] };
      return say(context, { ...machine, phase: { ...phase, kind: "sent" } }, phase.keys, input.message);
    case "stored": {
      if (phase.kind !== "receiving") return { machine, effects: [] };
      const said = say(context, { ...machine, phase: { kind: "linked" } }, phase.keys, { kind: "stored" });
      return { ...said, effects: [...said.effects, { kind: "linked" }] };
    }
    case "cancel":
      return fail(context, machine, "link_refused");
    case "expired":
      return fail(context, machine, "link_expired");
    case "failed":
      return fail(context, machine, input.code);
  }
}

/** Ends the linking; the other side is told, if it listens. */
function fail(context: LinkContext, machine: LinkMachine, code: ClientErrorCode, tell = true): LinkTurn {
  const { kind } = machine.phase;
  const effects: LinkEffect[] = [];
  if (tell) effects.push(...append(context, machine, { kind: "cancel" }).effects);
  if (kind === "publishing" || kind === "sent") effects.push({ kind: "undo" });
  effects.push({ kind: "failed", code });
  return { machine: { ...machine, phase: { kind: "failed", code } }, effects };
}

function append(context: LinkContext, machine: LinkMachine, body: LinkBody): LinkTurn {
  const message: LinkMessage = { format: 1, sender: machine.role, index: machine.next, body };
  const blob = sealLinkMessage(machine.place, message, context.random);
  return { machine: { ...machine, next: machine.next + 1, own: [...machine.own, blob] }, effects: [{ kind: "append", blob }] };
}

function say(context: LinkContext, machine: LinkMachine, keys: ChannelKeys, message: ChannelMessage): LinkTurn {
  const ciphertext = sealChannel({ keys, sender: machine.role, index: machine.next, message, random: context.random });
  return append(context, machine, { kind: "channel", ciphertext });
}

async function onEntry(context: LinkContext, before: LinkMachine, blob: Uint8Array): Promise<LinkTurn> {
  const machine = { ...before, entries: before.entries + 1 };
  if (machine.entries > maxEntries) return fail(context, machine, "server_lied", false);
  const message = openLinkMessage(machine.place, blob);
  if (message?.sender === machine.role) {
    const isOwn = machine.own.some((made) => equalBytes(made, blob));
    return isOwn ? { machine, effects: [] } : fail(context, machine, "link_expired", false);
  }
  // Noise, or what was taken in already.
  if (message === undefined || message.index < machine.expected) return { machine, effects: [] };
  // The log keeps the order in which one device wrote: something is missing.
  if (message.index > machine.expected) return fail(context, machine, "server_lied");
  const turn: LinkMachine = { ...machine, expected: machine.expected + 1 };
  if (message.body.kind === "cancel") return fail(context, turn, "link_refused", false);
  return await onMessage(context, turn, message);
}

async function onMessage(context: LinkContext, machine: LinkMachine, message: LinkMessage): Promise<LinkTurn> {
  const { phase } = machine;
  const { body } = message;
  const broken = (): LinkTurn => fail(context, machine, "server_lied");
  switch (phase.kind) {
    case "joining":
      return body.kind === "offer" ? await answer(context, machine, phase.identity, message, body.publicKey) : broken();
    case "offered":
      return body.kind === "answer" ? await reveal(context, machine, phase, message) : broken();
    case "answered":
      return body.kind === "reveal" ? compare(context, machine, phase, body.nonce) : broken();
    case "compared":
    case "enrolled":
    case "sent":
      return body.kind === "channel" ? onChannel(context, machine, message.index, body.ciphertext) : broken();
    case "enrolling":
    case "receiving":
    case "publishing":
    case "linked":
    case "failed":
      return broken();
  }
}

async function answer(
  context: LinkContext,
  machine: LinkMachine,
  identity: LinkIdentity,
  offer: LinkMessage,
  publicKey: Uint8Array,
): Promise<LinkTurn> {
  const { random, suite } = context;
  const said: LinkAnswer = { ...identity, nonce: random(32), channelSecret: random(32) };
  try {
    const aad = encode(linkMessageCodec, offer);
    const sealed = await suite.hpkeSeal({ publicKey, info: answerInfo, aad, plaintext: encode(linkAnswerCodec, said), random });
    const body: LinkBody = { kind: "answer", ...sealed };
    const message: LinkMessage = { format: 1, sender: "existing", index: machine.next, body };
    return append(context, { ...machine, phase: { kind: "answered", offer, answer: message, said } }, body);
  } catch (error) {
    // The offered key is whatever its writer chose.
    if (error instanceof MlsError) return fail(context, machine, "server_lied");
    throw error;
  }
}

async function reveal(
  context: LinkContext,
  machine: LinkMachine,
  phase: Extract<Phase, { kind: "offered" }>,
  message: LinkMessage,
): Promise<LinkTurn> {
  const { keyPair, nonce, offer } = phase;
  const { body } = message;
  if (body.kind !== "answer") return fail(context, machine, "server_lied");
  let said: LinkAnswer;
  try {
    const { kemOutput, ciphertext } = body;
    const aad = encode(linkMessageCodec, offer);
    said = decode(linkAnswerCodec, await context.suite.hpkeOpen({ ...keyPair, kemOutput, ciphertext, aad, info: answerInfo }));
  } catch (error) {
    if (error instanceof MlsError || error instanceof CodecError) return fail(context, machine, "server_lied");
    throw error;
  }
  const transcript = transcriptOf({ place: machine.place, offer, answer: message, newNonce: nonce, existingNonce: said.nonce });
  const { host, accountId, username, deviceName } = said;
  const identity: LinkIdentity = { host, accountId: accountId.slice(), username, deviceName };
  const keys = channelKeys(said.channelSecret, transcript);
  const told = append(
    context,
    { ...machine, phase: { kind: "compared", keys, confirmed: false, enrolment: undefined, identity } },
    { kind: "reveal", nonce },
  );
  return { ...told, effects: [...told.effects, { kind: "compare", digits: digitsOf(transcript), deviceName, identity }] };
}

function compare(context: LinkContext, machine: LinkMachine, phase: Extract<Phase, { kind: "answered" }>, newNonce: Uint8Array): LinkTurn {
  const { offer, answer: answered, said } = phase;
  if (offer.body.kind !== "offer" || !equalBytes(commitmentOf(newNonce), offer.body.commitment))
    return fail(context, machine, "server_lied");
  const transcript = transcriptOf({ place: machine.place, offer, answer: answered, newNonce, existingNonce: said.nonce });
  const keys = channelKeys(said.channelSecret, transcript);
  const { deviceName } = offer.body;
  return {
    machine: { ...machine, phase: { kind: "compared", keys, confirmed: false, enrolment: undefined, identity: said } },
    effects: [{ kind: "compare", digits: digitsOf(transcript), deviceName, identity: undefined }],
  };
}

function onConfirm(context: LinkContext, machine: LinkMachine, same: boolean): LinkTurn {
  const { phase } = machine;
  if (phase.kind !== "compared" || phase.confirmed) return { machine, effects: [] };
  if (!same) return fail(context, machine, "link_refused");
  if (machine.role === "new") {
    const { keys, identity } = phase;
    return { machine: { ...machine, phase: { kind: "enrolling", keys } }, effects: [{ kind: "enroll", identity }] };
  }
  return publishWhenBoth({ ...machine, phase: { ...phase, confirmed: true } });
}

/** The existing device goes on once its own person and the new device's have said yes. */
function publishWhenBoth(machine: LinkMachine): LinkTurn {
  const { phase } = machine;
  if (phase.kind !== "compared" || !phase.confirmed || phase.enrolment === undefined) return { machine, effects: [] };
  const { keys, enrolment } = phase;
  const { device, pop } = enrolment;
  return { machine: { ...machine, phase: { kind: "publishing", keys } }, effects: [{ kind: "publish", device, pop }] };
}

function onChannel(context: LinkContext, machine: LinkMachine, index: number, ciphertext: Uint8Array): LinkTurn {
  const { phase, role } = machine;
  if (!("keys" in phase)) return fail(context, machine, "server_lied");
  const message = openChannel({ keys: phase.keys, sender: role === "new" ? "existing" : "new", index, ciphertext });
  if (message === undefined) return fail(context, machine, "server_lied");
  if (role === "existing" && phase.kind === "compared" && message.kind === "enroll" && phase.enrolment === undefined) {
    return publishWhenBoth({ ...machine, phase: { ...phase, enrolment: message } });
  }
  if (role === "new" && phase.kind === "enrolled" && (message.kind === "account" || message.kind === "account_blob")) {
    return { machine: { ...machine, phase: { kind: "receiving", keys: phase.keys } }, effects: [{ kind: "store", message }] };
  }
  if (role === "existing" && phase.kind === "sent" && message.kind === "stored") {
    return { machine: { ...machine, phase: { kind: "linked" } }, effects: [{ kind: "linked" }] };
  }
  return fail(context, machine, "server_lied");
}
