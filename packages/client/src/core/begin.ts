import { CodecError, equalBytes, toBase64Url } from "@latchkey/codec";
import { MlsError, cipherSuiteId, createGroup, groupContextExtensions, groupId, joinGroup } from "@latchkey/mls";
import type { CipherSuiteId, GroupState, KeyPackage, KeyPackagePrivateKeys } from "@latchkey/mls";
import { conversationKinds, firstHead, retentionDays, zeroHash } from "@latchkey/protocol";
import type { GroupSettings, SettingsOpening, WelcomeBundle } from "@latchkey/protocol";
import { credentialOf } from "../group/credential.ts";
import { withContinuity } from "./continuity.ts";
import { planUpdate } from "./epoch.ts";
import { epochKeys } from "./keys.ts";
import { entryOrder, maxJoinSeq, pendingOrder } from "./order.ts";
import { unjudged, verify } from "./proven.ts";
import { roles } from "./rights.ts";
import { accountIdsOf, copyOfOpening, groupExtension, isSameDevice, latchkeyGroupOf, opens, rosterOf } from "./roster.ts";
import { foundingSettings } from "./settings.ts";
import { addLine, linkDown } from "./turn.ts";
import type { Turn } from "./turn.ts";
import type { Sight } from "./said.ts";
import type { Chain, Context, ConversationState, Effect, Roster, WantedChange } from "./types.ts";
import { nothingSent } from "./view.ts";
import { noRenewal } from "./renewal.ts";
import { begunRenewal, planRenewal } from "./renewing.ts";
import { nothingExpired } from "./stall.ts";

const leafLifetimeSeconds = 10n * 365n * 86_400n;
const daySeconds = 86_400n;
/** Of the group's MLS id, which is random (spec M-1). */
const groupIdBytes = 32;

/** How a conversation is run, of which another one takes it over. */
export type RunAs = Partial<
  Pick<GroupSettings, "roles" | "rights" | "format" | "description" | "picture" | "timerS" | "slowModeS" | "keptOut">
>;

/** What is known where a state begins. */
type Beginning =
  | ("id" | "logId" | "groupId" | "host" | "kind" | "name" | "peer" | "suiteId" | "phase" | "chain" | "joinedSeq" | "recentHeads")
  | ("epoch" | "opening" | "group" | "roster" | "memberCount" | "sight" | "continuity")
  | ("unread" | "readThrough" | "lastOrder" | "updatedAtMs");

/** The rest of a state, while nothing has happened in the conversation for this device. */
export const nothingYet: Omit<ConversationState, Beginning> = {
  own: nothingSent,
  seen: zeroHash,
  lastCommitSeq: 0,
  base: undefined,
  skipsTold: [],
  stranded: undefined,
  arrival: undefined,
  barred: [],
  refused: [],
  asks: [],
  closedEpochs: [],
  outgoing: [],
  changes: [],
  staged: undefined,
  renewal: noRenewal,
  unverified: [],
  leavers: [],
  departed: [],
  doubts: [],
  spoken: new Map(),
  unreadEntries: 0,
  awaited: undefined,
  isLeftOut: false,
  restoredFromMs: undefined,
  recovered: [],
  away: [],
  formerMembers: [],
  readdedBy: undefined,
  expired: nothingExpired,
  invitations: [],
  continuesId: undefined,
  offers: [],
  rosterAdds: 0,
  toldName: "",
  nextLocal: 0,
  draft: "",
  link: linkDown,
};

/** A state at its beginning: everything that creating and joining have in common. */
function begin(params: {
  context: Context;
  host: string;
  logId: Uint8Array;
  group: GroupState;
  roster: Roster;
  opening: SettingsOpening;
  epochId: number;
  chain: Chain;
  peer: Uint8Array | undefined;
  sight: Sight;
}): ConversationState {
  const { context, group, roster, chain, opening } = params;
  const logId = params.logId.slice();
  return {
    ...nothingYet,
    renewal: begunRenewal(group, roster, context.nowMs),
    id: toBase64Url(logId),
    logId,
    groupId: groupId(group).slice(),
    host: params.host,
    kind: kindOf(roster),
    name: roster.settings.name,
    peer: params.peer,
    suiteId: cipherSuiteId(group),
    phase: { kind: "active" },
    chain,
    joinedSeq: chain.seq,
    recentHeads: [chain.head],
    epoch: epochKeys(group, logId, params.epochId),
    opening,
    group,
    roster,
    memberCount: roster.accounts.size,
    sight: params.sight,
    continuity: withContinuity([], context.sha256, group),
    unread: 0,
    readThrough: 0,
    lastOrder: 0,
    updatedAtMs: context.nowMs,
  };
}

function kindOf({ settings }: Roster): ConversationState["kind"] {
  if (settings.conversationKind === conversationKinds.direct) return "direct";
  return settings.conversationKind === conversationKinds.devices ? "devices" : "group";
}

/** A conversation of one's own making: its log is created and its first members are added once the server is reached. */
export async function createConversation(
  context: Context,
  params: {
    logId: Uint8Array;
    host: string;
    kind: ConversationState["kind"];
    name: string;
    /** The other person of a direct conversation (oneself in notes to oneself). */
    peer: Uint8Array | undefined;
    suiteId: CipherSuiteId;
    /** What names the conversation that this one goes on with (spec M-9), 32 bytes; absent for none. */
    continues?: Uint8Array;
    /** Of one that goes on with another: how that is run. Else a group's founder is its owner, and it has the rights of its size (spec X-13). */
    runAs?: RunAs;
    /** The first members besides oneself. */
    change: WantedChange | undefined;
  },
): Promise<{ state: ConversationState; effects: readonly Effect[] }> {
  const { self, random, nowMs } = context;
  const isGroup = params.kind === "group";
  const accounts = new Set([self.account, ...(params.change?.adds ?? []).map(({ accountId }) => toBase64Url(accountId))]);
  const nowSeconds = BigInt(Math.floor(nowMs / 1000));
  const opening: SettingsOpening = {
    salt: random(32),
    settings: {
      ...foundingSettings({ name: params.name, accounts: accounts.size, directory: context.directory }),
      roles: isGroup ? [{ accountId: self.accountId, role: roles.owner }] : [],
      ...params.runAs,
      ...(params.continues === undefined ? {} : { continues: params.continues }),
    },
  };
  const { host, logId } = params;
  const settings = groupExtension(context.sha256, {
    host,
    logId,
    opening,
    conversationKind: conversationKinds[params.kind],
  });
  const group = await createGroup({
    suite: context.suite(params.suiteId),
    groupId: random(groupIdBytes),
    credential: credentialOf(self),
    signatureKeyPair: self.signatureKeyPair,
    lifetime: { notBefore: nowSeconds - daySeconds, notAfter: nowSeconds + leafLifetimeSeconds },
    extensions: [settings],
    random,
  });
  const chain = { seq: 0, head: firstHead(context.sha256, logId) };
  const roster = rosterOf(group, opening);
  const sight = { atMs: nowMs, retentionDays };
  const begun = begin({ context, host, logId, group, roster, opening, epochId: 0, chain, peer: params.peer, sight });
  const changes = params.change === undefined ? [] : [{ ...params.change, order: pendingOrder(0), attempts: 0 }];
  const turn: Turn = { context, effects: [], groups: [], state: { ...begun, phase: { kind: "creating" }, changes, nextLocal: 1 } };
  addLine(turn, { order: 0, author: self.accountId, body: { kind: "created", name: params.name }, acceptedAtMs: nowMs });
  return { state: turn.state, effects: turn.effects };
}

/** Why a Welcome is not followed (spec M-4). */
export type JoinRefusal = "invalid_welcome" | "disagrees" | "unknown_signer";

export type JoinResult =
  | { readonly kind: "joined"; readonly state: ConversationState; readonly effects: readonly Effect[] }
  | { readonly kind: "refused"; readonly reason: JoinRefusal };

/** Joins by a WelcomeBundle that `sender`, a verified account, sealed to this device's inbox (spec M-4). */
export async function joinConversation(
  context: Context,
  params: {
    bundle: WelcomeBundle;
    suiteId: CipherSuiteId;
    keyPackage: KeyPackage;
    privateKeys: KeyPackagePrivateKeys;
    ratchetTree: Uint8Array;
    senderAccountId: Uint8Array;
    senderDeviceId: Uint8Array;
    /** Learns what came along of the group's accounts, and of no others (spec E-62), before its leaves are judged. */
    meet?: (accountIds: readonly Uint8Array[]) => Promise<void>;
    /** When the Welcome was sent at the earliest, and what the server promises to keep: what follows its commit is newer (spec L-8). */
    sight: Sight;
  },
): Promise<JoinResult> {
  const { bundle } = params;
  try {
    const joined = await joinGroup({
      suite: context.suite(params.suiteId),
      welcome: bundle.welcome,
      keyPackage: params.keyPackage,
      privateKeys: params.privateKeys,
      ratchetTree: params.ratchetTree,
    });
    const { opening } = bundle;
    const roster = rosterOf(joined.state, opening);
    const agrees =
      roster.settings.host === bundle.host &&
      roster.settings.host === context.self.host &&
      opens(context.sha256, bundle.logId, latchkeyGroupOf(groupContextExtensions(joined.state)), opening) &&
      // What else stands in its context would take room in every Welcome (spec E-19).
      groupContextExtensions(joined.state).length === 1 &&
      groupId(joined.state).length === groupIdBytes &&
      roster.own !== undefined;
    if (!agrees) return { kind: "refused", reason: "disagrees" };
    const signer = roster.leaves.get(joined.welcomeSigner);
    if (signer === undefined || !isSameDevice(signer, { accountId: params.senderAccountId, deviceId: params.senderDeviceId })) {
      return { kind: "refused", reason: "unknown_signer" };
    }
    if (bundle.epochId !== bundle.seq || bundle.seq > maxJoinSeq) return { kind: "refused", reason: "disagrees" };
    await params.meet?.(accountIdsOf(roster));
    return joinedState(context, { bundle, group: joined.state, roster, signer: signer.accountId, sight: params.sight });
  } catch (error) {
    if (error instanceof MlsError || error instanceof CodecError) return { kind: "refused", reason: "invalid_welcome" };
    throw error;
  }
}

function joinedState(
  context: Context,
  params: { bundle: WelcomeBundle; group: GroupState; roster: Roster; signer: Uint8Array; sight: Sight },
): JoinResult {
  const { bundle, group, roster } = params;
  const others = [...roster.leaves.values()].filter((leaf) => leaf !== roster.own);
  const isDirect = roster.settings.conversationKind === conversationKinds.direct;
  const self = context.self.account;
  const isAlone = roster.accounts.size === 1 && roster.accounts.has(self);
  // A direct conversation has one other account, or none in notes to oneself; anything else is no direct conversation (spec L-12).
  if (isDirect && roster.accounts.size !== 2 && !isAlone) return { kind: "refused", reason: "disagrees" };
  if (roster.settings.conversationKind === conversationKinds.devices && !isAlone) return { kind: "refused", reason: "disagrees" };
  const chain = { seq: bundle.seq, head: bundle.head.slice() };
  const peer = isDirect ? (others.find((leaf) => leaf.account !== self)?.accountId ?? context.self.accountId) : undefined;
  const { host, logId, epochId, opening } = bundle;
  const { sight } = params;
  const begun = begin({ context, host, logId, group, roster, opening: copyOfOpening(opening), epochId, chain, peer, sight });
  const unverified = others.filter((leaf) => !context.vouched(leaf)).map((leaf) => unjudged(leaf));
  const turn: Turn = {
    context,
    effects: [],
    groups: [],
    state: { ...begun, unverified, base: { accountId: params.signer, isTold: false } },
  };
  const { accountId } = context.self;
  // Added by another device of one's own account: the account was in the group already.
  const isOwn = equalBytes(params.signer, accountId);
  addLine(turn, {
    order: entryOrder(chain.seq),
    author: params.signer,
    body: isOwn ? { kind: "device_added", account: accountId } : { kind: "added", accounts: [accountId] },
  });
  // What came along was taken in before: what is not vouched for now needs to be asked about.
  verify(turn, unverified);
  planUpdate(turn, group, roster);
  planRenewal(turn);
  return { kind: "joined", state: turn.state, effects: turn.effects };
}
