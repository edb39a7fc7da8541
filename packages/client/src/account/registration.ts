import { isUsername } from "@latchkey/protocol";
import type { WireErrorCode } from "@latchkey/protocol";
import { ClientError } from "../errors.ts";
import { cleanName } from "../names/clean.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store } from "../store/store.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { expectAnswer } from "../transport/connection.ts";
import type { AnswerOf, RoleConnection } from "../transport/connection.ts";
import type { Directory } from "./directory.ts";
import { maintainKeyPackages } from "./key-packages.ts";
import { authenticateDevice, createOwnAccount, deleteOwnAccount, loadOwnAccount, saveOwnAccount } from "./own-account.ts";
import type { OwnAccount } from "./own-account.ts";

/** `registration` of a hello, on a server that takes accounts by invitation. */
const byInvitation = 1;

/** What `registerAccount` needs. */
export interface RegisterParams {
  readonly store: Store;
  readonly platform: Platform;
  readonly connections: Connections;
  /** Proves that the account stands in the public record; without that it does not count (spec A-2). */
  readonly directory: Pick<Directory, "confirmPublished">;
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
 * @throws ClientError `account_exists`, `invalid_username`, `username_taken`, `registration_closed`, `offline` and the like
 */
export async function registerAccount(params: RegisterParams): Promise<OwnAccount> {
  const { store, connections, platform, username } = params;
  const displayName = params.displayName === undefined ? "" : cleanName(params.displayName);
  if (!isUsername(username)) {
    throw new ClientError("invalid_username", "A username is 3 to 32 of a-z, 0-9, underscore, dot and hyphen.");
  }
  const begun = await store.transact("read", (tx) => loadOwnAccount(tx));
  if (begun?.status === "registered") throw exists();
  const host = begun?.host ?? (await connections.ownHost());
  return connections.once("device", host, async (connection) => {
    if (begun !== undefined && (await finish(params, connection, begun))) {
      if (begun.username !== username) throw exists();
      return registered(params, connection, begun);
    }
    const request = { kind: "reserve" as const, username, invitation: params.invitation ?? "", token: new Uint8Array(0) };
    const answer = await connection.request(request);
    if (answer.kind === "error" && answer.code === "registration_closed" && connection.hello.registration === byInvitation)
      throw notInvited(request.invitation);
    expectAnswer(answer, "reserved");
    const account =
      begun?.username === username
        ? { ...begun, displayName: displayName === "" ? begun.displayName : displayName }
        : await createOwnAccount({
            platform,
            host,
            username,
            displayName: displayName === "" ? username : displayName,
            deviceName: (params.deviceName ?? "").trim().slice(0, 64),
          });
    await store.transact("write", (tx) => saveOwnAccount(tx, account));
    const { proof } = expectAnswer(await publish(connection, account), "published");
    await confirm(params, account, proof);
    return registered(params, connection, account);
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

/** Whether the server has, or now takes, an account whose answer was lost. One that it never had and cannot take is forgotten. */
async function finish(params: RegisterParams, connection: RoleConnection<"device">, account: OwnAccount): Promise<boolean> {
  const answer = await publish(connection, account);
  if (answer.kind === "published") {
    await confirm(params, account, answer.proof);
    return true;
  }
  // Without the reservation of this connection, a new account is refused so; anything else says nothing about the account.
  const unknownThere: readonly WireErrorCode[] = ["no_reservation", "username_taken"];
  if (answer.kind !== "error" || !unknownThere.includes(answer.code)) expectAnswer<AnswerOf<"device">, "published">(answer, "published");
  if (account.username !== params.username) await params.store.transact("write", (tx) => deleteOwnAccount(tx));
  return false;
}

async function confirm(params: RegisterParams, account: OwnAccount, proof: Uint8Array): Promise<void> {
  const { host, accountId, username, record } = account;
  await params.directory.confirmPublished({ host, accountId, username, record, proof });
}

function publish(connection: RoleConnection<"device">, account: OwnAccount): Promise<AnswerOf<"device">> {
  const [state = new Uint8Array(0)] = account.record.states;
  return connection.request({ kind: "publish", state, pops: account.record.pops, bindings: account.record.bindings });
}

async function registered(params: RegisterParams, connection: RoleConnection<"device">, account: OwnAccount): Promise<OwnAccount> {
  const { store, platform } = params;
  const done: OwnAccount = { ...account, status: "registered" };
  await store.transact("write", (tx) => saveOwnAccount(tx, done));
  await publishFirstKeyPackages({ store, platform, connection, account: done });
  return done;
}

/** Makes a device that the account just got reachable, so that others can write to it from its first moment on. */
export async function publishFirstKeyPackages(params: {
  store: Store;
  platform: Platform;
  connection: RoleConnection<"device">;
  account: OwnAccount;
}): Promise<void> {
  try {
    await authenticateDevice(params.connection, params.account, params.platform);
    await maintainKeyPackages({ ...params, target: firstKeyPackages });
  } catch (error) {
    // The account is there; the lasting connection does the same again.
    if (!(error instanceof ClientError)) throw error;
  }
}

function exists(): ClientError {
  return new ClientError("account_exists", "This profile has an account already.");
}
