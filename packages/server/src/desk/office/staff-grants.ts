import { equalBytes, toBase64Url, utf8Bytes } from "@latchkey/codec";
import { grantText } from "@latchkey/protocol/desk";
import type { PasskeyJson, StaffGrant } from "@latchkey/protocol/desk";
import { checkApproval } from "@latchkey/releases";
import { sha256 } from "../../hash.ts";
import { Challenges } from "./challenges.ts";
import { DeskError } from "./desk-error.ts";
import type { Input } from "./input.ts";
import type { Asker, OfficeParts } from "./operations.ts";
import { readAssertion } from "./requests/release/approval-input.ts";
import type { Passkey } from "./staff.ts";

/** A grant that whoever gives it has signed. */
export interface ProvedGrant {
  readonly passkey: Passkey;
  /** How often it was used by then. */
  readonly counter: number;
  /** What it signed, base64url: for the trail. */
  readonly digest: string;
}

/** What was sent to prove a grant. */
export interface SentProof {
  readonly nonce: string;
  readonly response: PasskeyJson;
}

const longestNonce = 128;

/** Has an administrator's passkey sign whom they name, and as what: a session alone gives nobody a role that weighs (rule F-19). */
export class StaffGrants {
  readonly #parts: Pick<OfficeParts, "passkeys" | "staff" | "options">;
  readonly #challenges = new Challenges();

  constructor(parts: Pick<OfficeParts, "passkeys" | "staff" | "options">) {
    this.#parts = parts;
  }

  /** What a browser is to answer. */
  async begin(grant: StaffGrant, { staff, passedMs }: Asker): Promise<{ readonly nonce: string; readonly options: PasskeyJson }> {
    const { passkeys, staff: people } = this.#parts;
    const nonce = toBase64Url(this.#challenges.create(purposeOf(staff.id), passedMs));
    return { nonce, options: await passkeys.approvalOptions(this.#digest(grant, nonce), people.passkeysOf(staff.id)) };
  }

  /**
   * Verifies that whoever asks has signed exactly this grant, just now.
   * @throws DeskError `passkey_refused` where nothing, something else, or somebody else signed
   */
  async proved(grant: StaffGrant, proof: SentProof | undefined, { staff, passedMs }: Asker): Promise<ProvedGrant> {
    if (proof === undefined || !this.#challenges.burn(purposeOf(staff.id), proof.nonce, passedMs)) throw new DeskError("passkey_refused");
    const { credential, assertion } = readAssertion(proof.response);
    const passkey = this.#parts.staff.passkey(credential);
    if (passkey === undefined || !equalBytes(passkey.staffId, staff.id)) throw new DeskError("passkey_refused");
    const { hostname, origin } = new URL(this.#parts.options.publicUrl);
    const digest = this.#digest(grant, proof.nonce);
    const check = await checkApproval({ credential, publicKey: passkey.publicKey, assertion }, { digest, rpId: hostname, origin });
    const isNew = check.isValid && (check.counter > passkey.counter || (check.counter === 0 && passkey.counter === 0));
    if (!check.isValid || !isNew) throw new DeskError("passkey_refused");
    return { passkey, counter: check.counter, digest: toBase64Url(digest) };
  }

  #digest(grant: StaffGrant, nonce: string): Uint8Array {
    return sha256(utf8Bytes(grantText(grant, { host: this.#parts.options.host, nonce })));
  }
}

/** Reads `proof`, where there is one. @throws DeskError `malformed` */
export function readProof(input: Input): SentProof | undefined {
  if (!input.has("proof")) return undefined;
  const proof = input.object("proof");
  const read = { nonce: proof.text("nonce", { most: longestNonce }), response: proof.opaque("response") };
  proof.end();
  return read;
}

function purposeOf(staffId: Uint8Array): string {
  return `grant by ${toBase64Url(staffId)}`;
}
