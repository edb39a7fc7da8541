import { equalBytes, fromBase64Url, toBase64Url } from "@latchkey/codec";
import { isUsername, maxPassphraseTries, passphraseTbsCodec } from "@latchkey/protocol";
import type { PassphraseStep } from "@latchkey/protocol";
import { signStructure } from "@latchkey/transparency";
import type { Directory } from "../account/directory.ts";
import type { Contact } from "../account/contacts.ts";
import type { OwnAccount } from "../account/own-account.ts";
import { deriveRecoveryKeys, recoveryEntropyOf, recoveryPhraseOf } from "../account/recovery.ts";
import type { PassphraseCalls } from "../api/passphrases.ts";
import { ClientError } from "../errors.ts";
import type { Platform } from "../platform/platform.ts";
import type { Connections } from "../transport/connection-manager.ts";
import { expectAnswer } from "../transport/connection.ts";
import type { RoleConnection } from "../transport/connection.ts";
import { openEntropy, sealEntropy } from "./seal.ts";
import type { PassphraseNames } from "./types.ts";

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** What setting and trying passphrases needs. */
export interface PassphraseParts {
  readonly platform: Platform;
  readonly connections: Connections;
  readonly directory: Pick<Directory, "resolve" | "lookUpOwn">;
  /** This profile's account. @throws ClientError `no_account` */
  own(): OwnAccount;
  /** The lasting connection of its device. @throws ClientError `offline` */
  device(): Promise<RoleConnection<"device">>;
}

/** Both sides of a recovery passphrase (spec A-12 to A-14): of whoever has the account, and of whoever lost its devices. */
export function createPassphraseCalls(parts: PassphraseParts): PassphraseCalls {
  const { platform, connections, directory } = parts;

  async function recoveryKeysOf(phrase: string | undefined): ReturnType<typeof keysFromWords> {
    const { recoveryEntropy, account } = parts.own();
    const words = phrase ?? (recoveryEntropy.length === 0 ? "" : await recoveryPhraseOf(recoveryEntropy));
    const found = await keysFromWords(words, platform);
    if (!equalBytes(found.signature.publicKey, account.state.recoveryKey))
      throw new ClientError("invalid_phrase", "This is the recovery phrase of another account.");
    return found;
  }

  async function sign(connection: RoleConnection<"device">, secretKey: Uint8Array, step: PassphraseStep): Promise<Uint8Array> {
    const { accountId, host } = parts.own();
    const value = { format: 1, host, accountId, nonce: connection.hello.nonce, step, ext: new Uint8Array(0) };
    return signStructure({ codec: passphraseTbsCodec, value, label: "RecoveryPassphrase", secretKey, signatures: platform.signatures });
  }

  async function find(username: string): Promise<Contact> {
    const name = username.trim().toLowerCase();
    if (!isUsername(name)) throw new ClientError("unknown_user", "There is no such account on that server.");
    const host = await connections.ownHost();
    const { accountId } = await directory.resolve({ username: name, host });
    return directory.lookUpOwn({ host, accountId });
  }

  return {
    async recoveryPassphrase() {
      const connection = await parts.device();
      const { isSet, setDay, tries, lastTryDay, openedDay } = expectAnswer(
        await connection.request({ kind: "passphrase_status" }),
        "passphrase_status",
      );
      return {
        isSet,
        setMs: msOf(setDay),
        tries,
        lastTryMs: msOf(lastTryDay),
        openedMs: msOf(openedDay),
        isSpent: isSet && tries >= maxPassphraseTries,
      };
    },
    async beginRecoveryPassphrase({ phrase, request }) {
      const { signature } = await recoveryKeysOf(phrase);
      const connection = await parts.device();
      const signed = await sign(connection, signature.secretKey, { kind: "begin", request });
      const { response } = expectAnswer(await connection.request({ kind: "begin_passphrase", signed }), "passphrase_begun");
      const { accountId, host } = parts.own();
      return { response, names: { account: toBase64Url(accountId), host } };
    },
    async setRecoveryPassphrase({ phrase, record, exportKey }) {
      const { signature, entropy } = await recoveryKeysOf(phrase);
      const owner = { accountId: parts.own().accountId, recoveryKey: signature.publicKey };
      const sealed = sealEntropy(entropy, exportKey, owner, platform.random(24));
      const connection = await parts.device();
      const signed = await sign(connection, signature.secretKey, { kind: "set", record, sealed });
      expectAnswer(await connection.request({ kind: "set_passphrase", signed }), "done");
    },
    async clearRecoveryPassphrase() {
      const connection = await parts.device();
      expectAnswer(await connection.request({ kind: "clear_passphrase" }), "done");
    },
    async findPassphraseAccount(username) {
      const { accountId, host } = await find(username);
      return { account: toBase64Url(accountId), host };
    },
    async tryRecoveryPassphrase({ names, ke1 }) {
      const accountId = fromBase64Url(names.account);
      const answer = await connections.once(
        "lookup",
        await hostOf(names),
        (connection) => connection.request({ kind: "try_passphrase", accountId, ke1 }),
        { waiting: true },
      );
      if (answer.kind === "error" && answer.code === "rate_limited") throw tooOften(answer.retryAfterMs);
      const { ticket, ke2 } = expectAnswer(answer, "passphrase_challenge");
      return { ticket, ke2 };
    },
    async openRecoveryPassphrase({ names, ticket, ke3, exportKey }) {
      const host = await hostOf(names);
      const answer = await connections.once("lookup", host, (connection) => connection.request({ kind: "open_passphrase", ticket, ke3 }), {
        waiting: true,
      });
      if (answer.kind === "error" && answer.code === "not_found")
        throw new ClientError("conflict", "It took too long, or the passphrase was changed at the same moment. Try again.");
      const { sealed } = expectAnswer(answer, "sealed_phrase");
      const { accountId, account } = await directory.lookUpOwn({ host, accountId: fromBase64Url(names.account) });
      const { recoveryKey } = account.state;
      const entropy = openEntropy(sealed, exportKey, { accountId, recoveryKey });
      const words = entropy === undefined ? undefined : await recoveryPhraseOf(entropy);
      const isOfAccount = words !== undefined && equalBytes((await deriveRecoveryKeys(words, platform)).signature.publicKey, recoveryKey);
      if (!isOfAccount) throw new ClientError("server_lied", "What the server keeps with the passphrase is not this account's phrase.");
      return words;
    },
  };

  /** Names may come back from a page: only one's own host is asked. */
  async function hostOf(names: PassphraseNames): Promise<string> {
    const host = await connections.ownHost();
    if (names.host !== host) throw new ClientError("other_server", "This account is on another server.");
    return host;
  }
}

async function keysFromWords(
  words: string,
  platform: Platform,
): Promise<Awaited<ReturnType<typeof deriveRecoveryKeys>> & { readonly entropy: Uint8Array }> {
  try {
    const [keys, entropy] = await Promise.all([deriveRecoveryKeys(words, platform), recoveryEntropyOf(words)]);
    return { ...keys, entropy };
  } catch (cause) {
    const message = "These are not the 24 words of a recovery phrase. Check each word and their order.";
    throw new ClientError("invalid_phrase", message, { cause });
  }
}

/** After the ten tries of a day it is tomorrow; one address, or a server with too much to compute, waits for minutes. */
function tooOften(retryAfterMs: number): ClientError {
  const minutes = Math.max(1, Math.ceil(retryAfterMs / 60_000));
  const message =
    retryAfterMs > hourMs
      ? "Only so many tries a day are answered, whoever makes them. Try tomorrow, or take the 24 words."
      : `Too many tries just now. Try again in ${minutes === 1 ? "a minute" : `${String(minutes)} minutes`}, or take the 24 words.`;
  return new ClientError("rate_limited", message, { retryAfterMs });
}

function msOf(day: number): number | undefined {
  return day === 0 ? undefined : (day + 0.5) * dayMs;
}
