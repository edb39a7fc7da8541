import { concatBytes, toBase64Url } from "@latchkey/codec";
import { dayText } from "../days.ts";
import { sha256 } from "../hash.ts";
import type { HeldGeneration, HistoryStore } from "../store/history-store.ts";
import type { AccountHoldings, HeldDevice, HeldInbox, HeldLabel } from "../store/holdings.ts";
import type { DirectoryStore, InboxStore } from "../store/store.ts";
import { copyKept, explanations, heldElsewhere, notHeld } from "./inventory/inventory.ts";
import { encodeStreamed } from "./streamed-json.ts";
import type { Json } from "./streamed-json.ts";

/** What a page of states or items comes to: what there is of one account at a time in memory. */
export const pageBytes = 262_144;
const pageItems = 256;

/** Where the package is read from. */
export interface HoldingsSource {
  readonly store: Pick<DirectoryStore, "holdings" | "heldStates"> & Pick<InboxStore, "readItems"> & Pick<HistoryStore, "heldChunks">;
  /** The server's host, in the package. */
  readonly host: string;
  /** Reads when it is this reader's turn; at once where it is absent. */
  readonly inTurn?: <T>(read: () => Promise<T>) => Promise<T>;
}

/**
 * What the server holds about an account, all of it: the very package that a legal request would get (promise P6). UTF-8 JSON with an
 * explanation of every field, in pieces, of which few are in memory at a time; the same bytes whenever the same is held. Lists are in an
 * order of their own. What the inboxes get while it is read is not in it, what is erased meanwhile may not be. `undefined` for an unknown account.
 */
export async function openHoldings(source: HoldingsSource, accountId: Uint8Array): Promise<AsyncIterable<Uint8Array> | undefined> {
  const { store, host, inTurn = (read) => read() } = source;
  const held = await inTurn(() => store.holdings({ accountId }));
  if (held === undefined) return undefined;
  const { account, usernames, devices, labels, history } = held;
  return encodeStreamed({
    format: 2,
    host,
    not_held: notHeld,
    copy_kept: copyKept,
    held_elsewhere: heldElsewhere,
    account_id: toBase64Url(accountId),
    row: account.row,
    version: account.version,
    history_bytes: account.historyBytes,
    updates: account.updatesThatDay === 0 ? null : { day: dayText(account.updatesDay), count: account.updatesThatDay },
    tokens: account.tokensThatDay === 0 ? null : { day: dayText(account.tokensDay), count: account.tokensThatDay },
    passphrase: encodePassphrase(account.passphrase),
    passphrase_tries:
      account.passphraseTries === undefined
        ? null
        : { day: dayText(account.passphraseTries.day), that_day: account.passphraseTries.thatDay, in_all: account.passphraseTries.inAll },
    deletion: account.deletionSize ?? null,
    suspended_since: suspendedSince(account.restrictions),
    restrictions: account.restrictions.map(({ what, by, sinceDay, untilDay }) => ({
      what,
      by,
      since: dayText(sinceDay),
      until: day(untilDay),
    })),
    usernames: usernames.map(({ username, status, reservedUntilDay, binding }) => ({
      username,
      status,
      reserved_until: day(reservedUntilDay),
      binding: toBase64Url(binding),
    })),
    states: states(store, accountId, inTurn),
    devices: encodeDevices(devices, store, inTurn),
    directory: labels.map(encodeLabel),
    history_backup:
      history.stored === undefined
        ? null
        : {
            counter: history.stored.counter,
            generation_row: history.stored.row,
            chunks: history.stored.chunks,
            written: dayText(history.stored.day),
            manifest: toBase64Url(history.stored.manifest),
          },
    history_generations: generations(history.generations, store, inTurn),
    explanations,
  });
}

/** The same, in one piece. */
export async function assembleHoldings(source: HoldingsSource, accountId: Uint8Array): Promise<Uint8Array | undefined> {
  const pieces = await openHoldings(source, accountId);
  return pieces === undefined ? undefined : concatBytes(...(await Array.fromAsync(pieces)));
}

type InTurn = NonNullable<HoldingsSource["inTurn"]>;

async function* states(store: HoldingsSource["store"], accountId: Uint8Array, inTurn: InTurn): AsyncGenerator<Json> {
  for (let fromVersion = 0; ;) {
    const from = fromVersion;
    const page = await inTurn(() => store.heldStates({ accountId, fromVersion: from, maxBytes: pageBytes }));
    for (const { version, day: received, state, pops } of page) {
      yield { version, day: dayText(received), state: toBase64Url(state), proofs_of_possession: pops.map((pop) => toBase64Url(pop)) };
      fromVersion = version + 1;
    }
    if (page.length === 0) return;
  }
}

async function* encodeDevices(
  devices: readonly HeldDevice[],
  store: HoldingsSource["store"],
  inTurn: InTurn,
): AsyncGenerator<{ readonly [key: string]: Json | AsyncIterable<Json> }> {
  for (const { row, deviceId, card, inbox, keyPackages } of devices) {
    yield {
      row,
      device_id: toBase64Url(deviceId),
      card: bytes(card),
      key_packages: keyPackages.map(({ row: keyRow, seq, lastResort, notAfterDay, digest, bytes: keyPackage }) => ({
        row: keyRow,
        seq,
        kind: lastResort ? "last resort" : "one-time",
        not_after: dayText(notAfterDay),
        taken: keyPackage === undefined,
        sha256: toBase64Url(digest),
        key_package: bytes(keyPackage),
      })),
      inbox_row: inbox?.row ?? null,
      inbox_id: bytes(inbox?.inboxId),
      inbox_last_seq: inbox?.lastSeq ?? 0,
      inbox_size:
        inbox === undefined
          ? null
          : { items: inbox.items, bytes: inbox.bytes, stranger_items: inbox.strangerItems, stranger_bytes: inbox.strangerBytes },
      inbox_capability:
        inbox?.capability === undefined ? null : { generation: inbox.capability.generation, sha256: toBase64Url(inbox.capability.hash) },
      inbox_items: inbox === undefined ? [] : items(inbox, store, inTurn),
    };
  }
}

/** The items that the inbox had when the package was begun. */
async function* items({ inboxId, lastSeq }: HeldInbox, store: HoldingsSource["store"], inTurn: InTurn): AsyncGenerator<Json> {
  for (let afterSeq = 0; afterSeq < lastSeq;) {
    const after = afterSeq;
    const page = await inTurn(() => store.readItems({ inboxId, afterSeq: after, maxItems: pageItems, maxBytes: pageBytes }));
    if (page.length === 0) return;
    for (const { seq, day: came, part, blob } of page) {
      if (seq > lastSeq) return;
      yield { seq, day: dayText(came), part, size_bytes: blob.length, sha256: toBase64Url(sha256(blob)), sealed: toBase64Url(blob) };
      afterSeq = seq;
    }
  }
}

async function* generations(
  held: readonly HeldGeneration[],
  store: HoldingsSource["store"],
  inTurn: InTurn,
): AsyncGenerator<{ readonly [key: string]: Json | AsyncIterable<Json> }> {
  for (const { row, generation, sizeBytes } of held) {
    yield { row, generation: toBase64Url(generation), size_bytes: sizeBytes, chunks: chunks(row, store, inTurn) };
  }
}

async function* chunks(row: number, store: HoldingsSource["store"], inTurn: InTurn): AsyncGenerator<Json> {
  for (let fromNumber = 0; ;) {
    const from = fromNumber;
    const page = await inTurn(() => store.heldChunks({ row, fromNumber: from, maxItems: pageItems }));
    for (const { number, day: came, sizeBytes, sha256: hash } of page) {
      yield { number, day: dayText(came), size_bytes: sizeBytes, sha256: toBase64Url(hash) };
      fromNumber = number + 1;
    }
    if (page.length === 0) return;
  }
}

function encodeLabel({ row, type, value, index, vrfProof, values }: HeldLabel): Json {
  return {
    row,
    label: type,
    value: type === "username" ? new TextDecoder().decode(value) : toBase64Url(value),
    index: toBase64Url(index),
    vrf_proof: toBase64Url(vrfProof),
    values: values.map(({ version, commitment, opening, binding, isRelease, username }) => ({
      version,
      commitment: toBase64Url(commitment),
      opening: bytes(opening),
      ...(type === "account" ? { username: username ?? null } : { binding: bytes(binding), is_release: isRelease }),
    })),
  };
}

function encodePassphrase(passphrase: AccountHoldings["account"]["passphrase"]): Json {
  if (passphrase === undefined) return null;
  const { recoveryKey, record, sealed, setDay, openedDay } = passphrase;
  return {
    recovery_key: toBase64Url(recoveryKey),
    record: sizeAndHash(record),
    sealed: sizeAndHash(sealed),
    set: dayText(setDay),
    opened: openedDay === 0 ? null : dayText(openedDay),
  };
}

/** Of bytes that are in no package, since any device may ask for one: with the record guesses can be tested (spec A-13). */
function sizeAndHash(value: Uint8Array): Json {
  return { size_bytes: value.length, sha256: toBase64Url(sha256(value)) };
}

function suspendedSince(restrictions: AccountHoldings["account"]["restrictions"]): string | null {
  const days = restrictions.flatMap(({ what, sinceDay }) => (what === "suspended" ? [sinceDay] : []));
  return days.length === 0 ? null : dayText(Math.min(...days));
}

function bytes(value: Uint8Array | undefined): string | null {
  return value === undefined ? null : toBase64Url(value);
}

function day(value: number | undefined): string | null {
  return value === undefined ? null : dayText(value);
}
