import { toBase64Url } from "@latchkey/codec";
import { dayText } from "../days.ts";
import { sha256 } from "../hash.ts";
import type { CompleteHoldings } from "../store/accounts.ts";
import type { DirectoryStore } from "../store/store.ts";

/** Largest package in bytes: what fits one frame of the wire. */
const maxHoldingsBytes = 245_760;

const explanations = {
  host: "The server that wrote this.",
  account_id: "The account's id: the hash of its first state.",
  version: "The number of the newest state of the account.",
  history_bytes: "The size of all states and bindings together; the server allows up to a limit.",
  updates: "How often the account was changed on the last day that it was: the server allows up to a limit.",
  tokens:
    "How many tokens the account was given on the last day that it asked for some, null where it never did: the server allows up to a limit. What they were spent on, and that they were this account's, nobody can tell.",
  suspended_since:
    "The day since which the account is suspended on this server; null where that is not so. It then gets no new keys, invitations or name here; its conversations go on.",
  restrictions:
    "What is taken from the account here, by the operator or by a decision of the desk, since when, and the day on which it is over; null until the operator takes it back. suspended: all services for something new; tokens, key-packages, invitations, name-look-up: that one alone.",
  usernames: "Names that the account holds or held, each with the account's own signature (SignedUsernameBinding, base64url).",
  states:
    "Every state of the account as its devices signed it (SignedAccountState, base64url): its devices' public keys, its recovery public key, its name. The day is when the server received it. Anyone may look these up.",
  "states[].sha256": "In place of the bytes where they would not fit into one answer: the account lookup returns them.",
  devices: "What is kept for each device.",
  "devices[].card": "Where and how to reach the device, as the device signed it (SignedDeviceCard, base64url).",
  "devices[].inbox_id": "The address of the device's inbox.",
  "devices[].inbox_last_seq": "How many items the inbox has received since it was made, erased ones included.",
  "devices[].inbox_items":
    "Sealed items that wait for the device: number, day of arrival, size, and whether they came with the inbox's capability (contacts) or without (strangers). Only the device can open them. Nothing else says who sent them. Reading the inbox returns their bytes.",
  "devices[].inbox_capability":
    "The SHA-256 of a random number that the device gives to people whom its person accepted, and a number that grows with each new one: what comes with it does not wait behind what strangers send. The server knows neither the number itself nor who has it.",
  "devices[].key_packages":
    "Keys with which others can add the device to a group: kind, last day of validity, size. Of those taken only the fact that they were remains, until that day.",
  directory:
    "The account's places in the directory, whose map and log are public: that of the account itself and of each name that it has or had.",
  "directory[].index": "Where the label stands in the map: found from the name or id by the server's key alone, and proved by vrf_proof.",
  "directory[].values":
    "For each state or binding the commitment that stands in the public log, and the random number that opens it: without that nobody can tell what was committed to. It is erased with what it opens.",
  not_held:
    "The server does not hold: messages or files that it can read, private keys, who talks with whom, groups and their members, contact lists, a telephone number, an e-mail address, network addresses, times other than days: but for the public log, whose entries say when they were published, and for seconds, in which a database's journal still shows what it was last asked to write.",
} as const;

/**
 * What the server holds about an account: the very package that a legal request would get (promise P6), UTF-8 JSON, with an
 * explanation of every field. `undefined` for an unknown account.
 */
export async function holdingsOf(store: DirectoryStore, accountId: Uint8Array, host: string): Promise<Uint8Array | undefined> {
  const holdings = await store.holdings({ accountId });
  if (holdings === undefined) return undefined;
  const complete = encodeHoldings({ holdings, accountId, host, withStates: true });
  if (complete.length <= maxHoldingsBytes) return complete;
  return encodeHoldings({ holdings, accountId, host, withStates: false });
}

function sinceText(restrictions: readonly { readonly sinceDay: number }[]): string | null {
  return restrictions.length === 0 ? null : dayText(Math.min(...restrictions.map(({ sinceDay }) => sinceDay)));
}

function encodeHoldings(params: { holdings: CompleteHoldings; accountId: Uint8Array; host: string; withStates: boolean }): Uint8Array {
  const { holdings, accountId, host, withStates } = params;
  const { account, usernames, states, devices, labels } = holdings;
  const bytes = (value: Uint8Array | undefined): string | null => (value === undefined ? null : toBase64Url(value));
  const holdingsJson = {
    format: 1,
    host,
    account_id: toBase64Url(accountId),
    version: account.version,
    history_bytes: account.historyBytes,
    updates: { day: dayText(account.updatesDay), count: account.updatesThatDay },
    tokens: account.tokensThatDay === 0 ? null : { day: dayText(account.tokensDay), count: account.tokensThatDay },
    suspended_since: sinceText(account.restrictions.filter(({ what }) => what === "suspended")),
    restrictions: account.restrictions.map(({ what, by, sinceDay, untilDay }) => ({
      what,
      by,
      since: dayText(sinceDay),
      until: untilDay === undefined ? null : dayText(untilDay),
    })),
    usernames: usernames.map(({ username, status, binding }) => ({ username, status, binding: bytes(binding) })),
    states: states.map(({ version, day, state, pops }) =>
      withStates
        ? { version, day: dayText(day), state: bytes(state), proofs_of_possession: pops.map(bytes) }
        : { version, day: dayText(day), sha256: bytes(sha256(state)) },
    ),
    devices: devices.map((device) => ({
      device_id: toBase64Url(device.deviceId),
      card: bytes(device.card),
      inbox_id: bytes(device.inboxId),
      inbox_last_seq: device.inboxLastSeq,
      inbox_capability:
        device.inboxCapability === undefined
          ? null
          : { generation: device.inboxCapability.generation, sha256: bytes(device.inboxCapability.hash) },
      inbox_items: withStates
        ? device.inboxItems.map(({ seq, day, sizeBytes, part }) => ({ seq, day: dayText(day), size_bytes: sizeBytes, part }))
        : { count: device.inboxItems.length, size_bytes: device.inboxItems.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) },
      key_packages: device.keyPackages.map(({ lastResort, notAfterDay, taken, sizeBytes }) => ({
        kind: lastResort ? "last resort" : "one-time",
        not_after: dayText(notAfterDay),
        taken,
        size_bytes: sizeBytes,
      })),
    })),
    directory: labels.map(({ type, value, index, vrfProof, values }) => ({
      label: type,
      value: type === "username" ? new TextDecoder().decode(value) : toBase64Url(value),
      index: toBase64Url(index),
      vrf_proof: toBase64Url(vrfProof),
      values: withStates
        ? values.map(({ version, commitment, opening }) => ({ version, commitment: bytes(commitment), opening: bytes(opening) }))
        : { count: values.length },
    })),
    explanations,
  };
  return new TextEncoder().encode(JSON.stringify(holdingsJson, undefined, 1));
}
