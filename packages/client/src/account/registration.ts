import { isUsername } from "@latchkey/protocol";
import type { WireErrorCode } from "@latchkey/protocol";
import { ClientError } from "../errors.ts";
import { cleanName } from "../names/clean.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store } from "../store/store.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { expectAnswer } from "../transport/connection.ts";
import type { AnswerOf, RoleConnection } from "../transport/connection.ts";
import { requireClockOfAccount } from "./clock.ts";
import type { Directory } from "./directory.ts";
import { maintainKeyPackages } from "./key-packages.ts";
import { authenticateDevice, createOwnAccount, deleteOwnAccount, loadOwnAccount, newestOf, saveOwnAccount } from "./own-account.ts";
import type { OwnAccount } from "./own-account.ts";

/** `registration` of a hello, on a server that takes accounts by invitation. */
const byInvitation = 1;

/** What brings an account that was begun to its end. */
export interface FinishParams {
  readonly store: Store;
  readonly platform: Platform;
  readonly connections: Connections;
  /** Proves that the account stands in the public record; without that it does not count (spec A-2). */
  readonly directory: Pick<Directory, "confirmPublished" | "log">;
}

/** What `registerAccount` needs. */
export interface RegisterParams extends FinishParams {
  readonly username: string;
  readonly displayName?: string | undefined;
  /** What this device is called in the list of one's devices. */
  readonly deviceName?: string | undefined;
  readonly invitation?: string | undefined;
}

/** One-time key packages made before registration returns; the rest follow with the lasting connection. */
const firstKeyPackages = 8;

/**
 * Makes this profile's account: reserves the name, stores the account, publishes it (spec A-6). The stored bytes are published
 * again after a lost answer or a restart, so that the account is the same one.
 * @throws ClientError `account_exists`, `invalid_username`, `username_taken`, `registration_closed`, `clock_skew`, `offline` and the like;
 *   `account_waits` when the server has it and the record cannot be proved now: it stays, and `finishAccount` goes on with it
 */
export async function registerAccount(params: RegisterParams): Promise<OwnAccount> {
  const { store, connections, platform, username } = params;
  const displayName = params.displayName === undefined ? "" : cleanName(params.displayName);
  if (!isUsername(username)) {
    throw new ClientError("invalid_username", "A username is 3 to 32 of a-z, 0-9, underscore, dot and hyphen.");
  }
  let begun = await store.transact("read", (tx) => loadOwnAccount(tx));
  if (begun?.status === "registered") throw exists();
  const host = begun?.host ?? (await connections.ownHost());
  return connections.once("device", host, async (connection) => {
    requireClockOfAccount(connection);
    if (begun !== undefined) {
      const found = await publishBegun(connection, begun);
      if (found.kind === "published") {
        if (begun.username !== username) {
          await confirm(params, begun, found.proof);
          throw exists();
        }
        return counting(params, connection, begun, found.proof);
      }
      // One that the server never had and cannot take is forgotten, where another one is asked for or its own date speaks against it.
      if (begun.username !== username || found.isMisdated) {
        await store.transact("write", (tx) => deleteOwnAccount(tx));
        begun = undefined;
      }
    }
    params.directory.log.expect(host);
    const request = { kind: "reserve" as const, username, invitation: params.invitation ?? "", token: new Uint8Array(0) };
    const answer = await connection.request(request);
    if (answer.kind === "error" && answer.code === "registration_closed" && connection.hello.registration === byInvitation)
      throw notInvited(request.invitation);
    expectAnswer(answer, "reserved");
    const account =
      begun === undefined
        ? await createOwnAccount({
            platform,
            host,
            username,
            displayName: displayName === "" ? username : displayName,
            deviceName: (params.deviceName ?? "").trim().slice(0, 64),
          })
        : { ...begun, displayName: displayName === "" ? begun.displayName : displayName };
    await store.transact("write", (tx) => saveOwnAccount(tx, account));
    const { proof } = expectAnswer(await publish(connection, account), "published");
    return counting(params, connection, account, proof);
  });
}

/** A server by invitation refuses a wrong one as it refuses everybody else. */
function notInvited(invitation: string): ClientError {
  return new ClientError(
    "invalid_invitation",
    invitation === ""
      ? "This server takes new accounts by invitation only: ask who runs it for one."
      : "The server does not take this invitation: it may be mistyped, used up or expired. Ask who sent it for another one.",
  );
}

/**
 * Goes on with an account that this profile registered or recovered, and whose end it has not seen: publishes the same bytes again.
 * @returns the account once it counts; `undefined` when the server neither has it nor takes it so: the person has to ask for it again
 * @throws ClientError as `registerAccount`
 */
export async function finishAccount(params: FinishParams, account: OwnAccount): Promise<OwnAccount | undefined> {
  return params.connections.once("device", account.host, async (connection) => {
    const found = await publishBegun(connection, account);
    if (found.kind === "unknown") return undefined;
    return counting(params, connection, account, found.proof);
  });
}

/** Whether the server has, or now takes, an account whose answer was lost. */
async function publishBegun(
  connection: RoleConnection<"device">,
  account: OwnAccount,
): Promise<{ kind: "published"; proof: Uint8Array } | { kind: "unknown"; isMisdated: boolean }> {
  const answer = await publish(connection, account);
  if (answer.kind === "published") return { kind: "published", proof: answer.proof };
  // Without the reservation of this connection, a new account is refused so, and a recovery that lost a race, or what a wrong clock dated;
  // anything else says nothing about the account.
  const unknownThere: readonly WireErrorCode[] = ["no_reservation", "username_taken", "account_conflict", "clock_off"];
  if (answer.kind !== "error" || !unknownThere.includes(answer.code)) expectAnswer<AnswerOf<"device">, "published">(answer, "published");
  return { kind: "unknown", isMisdated: answer.kind === "error" && answer.code === "clock_off" };
}

/**
 * The account as the public record has it. The server has acknowledged it: what keeps the proof back passes, and the account stays.
 * @throws ClientError `account_waits`, with the reason as its cause; what does not pass as it is
 */
export async function confirm(
  { directory }: { readonly directory: Pick<Directory, "confirmPublished"> },
  account: OwnAccount,
  proof: Uint8Array,
): Promise<OwnAccount> {
  const { host, accountId, username, record } = account;
  try {
    await directory.confirmPublished({ host, accountId, username, record, proof });
  } catch (cause) {
    if (!(cause instanceof ClientError) || !cause.canRetry) throw cause;
    throw new ClientError(
      "account_waits",
      `The account is made and kept here, and counts once the public record proves it; it goes on by itself. ${cause.message}`,
      { canRetry: true, cause },
    );
  }
  return { ...account, ...newestOf(accountId, { ...record, proof }) };
}

function publish(connection: RoleConnection<"device">, account: OwnAccount): Promise<AnswerOf<"device">> {
  const { states, pops, bindings } = account.record;
  const state = states.at(-1) ?? new Uint8Array(0);
  // A new device of an account that was there before comes with its own proof only, and binds no name.
  const isNew = states.length === 1;
  return connection.request({ kind: "publish", state, pops: isNew ? pops : pops.slice(-1), bindings: isNew ? bindings : [] });
}

/** The account that the server has counts once the record proves it; that this device is its own is proven to the server meanwhile. */
async function counting(
  params: FinishParams,
  connection: RoleConnection<"device">,
  account: OwnAccount,
  proof: Uint8Array,
): Promise<OwnAccount> {
  const { store, platform } = params;
  const authenticated = authenticateDevice(connection, account, platform);
  authenticated.catch(() => undefined);
  const done: OwnAccount = { ...(await confirm(params, account, proof)), status: "registered" };
  await store.transact("write", (tx) => saveOwnAccount(tx, done));
  await publishFirstKeyPackages({ store, platform, connection, account: done, authenticated });
  return done;
}

/** Makes a device that the account just got reachable, so that others can write to it from its first moment on. */
export async function publishFirstKeyPackages(params: {
  store: Store;
  platform: Platform;
  connection: RoleConnection<"device">;
  account: OwnAccount;
  /** Where that is under way already. */
  authenticated?: Promise<void>;
}): Promise<void> {
  try {
    await (params.authenticated ?? authenticateDevice(params.connection, params.account, params.platform));
    await maintainKeyPackages({ ...params, target: firstKeyPackages });
  } catch (error) {
    // The account is there; the lasting connection does the same again.
    if (!(error instanceof ClientError)) throw error;
  }
}

function exists(): ClientError {
  return new ClientError("account_exists", "This profile has an account already.");
}
