import { toBase64Url, toHex, utf8Bytes } from "@latchkey/codec";
import { decodeManifest, releaseFileName } from "@latchkey/releases";
import { randomBytes } from "node:crypto";
import { hashOfCode } from "../../../../admin/invitations.ts";
import { sha256 } from "../../../../hash.ts";
import { DeskError } from "../../desk-error.ts";
import type { Input } from "../../input.ts";
import type { Done, OpenOperations, Times } from "../../operations.ts";
import type { Passkey } from "../../staff.ts";
import type { StoredRequest } from "../request-body.ts";
import { packedStates } from "./approving.ts";
import type { Approving } from "./approving.ts";
import type { Outsider, StoredPackage } from "./package-table.ts";
import type { ReleaseParts } from "./release-parts.ts";

const longestCode = 64;
/** How long somebody outside has to look at it, milliseconds of a clock that never jumps. */
const lookMs = 3_600_000;
const maxLooking = 64;
const [secretBytes, idBytes] = [32, 16];

/** Somebody outside who looks at a package now. */
interface Look {
  readonly number: number;
  readonly name: string;
  readonly digest: Uint8Array;
  readonly codeHash: Uint8Array;
  readonly passkey: Omit<Passkey, "made">;
  readonly untilMs: number;
}

/**
 * How somebody outside approves: by a link that counts once, and a passkey of their own. They see what is to go out, and nothing else.
 *
 *     code (once, three days) --outside-begin, outside-enrol--> key (an hour, in memory) --outside-file*, outside-approve--> approval
 */
export function outsideOperations(parts: ReleaseParts, approving: Approving): OpenOperations {
  const { options, staff, passkeys, trail, transaction, requests, packages } = parts;
  const looks = new Map<string, Look>();

  /** @throws DeskError `code_refused` */
  const ofCode = (code: string, nowMs: number): { request: StoredRequest; pack: StoredPackage; outsider: Outsider } => {
    const number = packages.ofCode(hashOfCode(code), nowMs);
    if (number === undefined) throw new DeskError("code_refused");
    const request = requests.require(number);
    const [pack, outsider] = [packages.get(request), packages.outsider(request)];
    if (pack === undefined || outsider === undefined || !packedStates.some((state) => state === request.state))
      throw new DeskError("code_refused");
    return { request, pack, outsider };
  };
  const ofKey = (key: string, passedMs: number): Look => {
    for (const [name, { untilMs }] of looks) if (passedMs >= untilMs) looks.delete(name);
    const look = looks.get(nameOf(key));
    if (look === undefined) throw new DeskError("code_refused");
    return look;
  };
  /** The package that they were shown. @throws DeskError `changed` where it is another one by now */
  const shown = (look: Look): { request: StoredRequest; pack: StoredPackage } => {
    const request = requests.require(look.number);
    const pack = packages.get(request);
    if (pack === undefined || toHex(pack.digest) !== toHex(look.digest)) throw new DeskError("changed");
    // Somebody else was asked in their place.
    if (!packages.isNewestLink(look.number, look.codeHash)) throw new DeskError("code_refused");
    return { request, pack };
  };

  return {
    async "outside-begin"(input: Input, { nowMs, passedMs }: Times): Promise<Done> {
      const code = input.text("code", { most: longestCode });
      input.end();
      const { request, pack, outsider } = ofCode(code, nowMs);
      const { authority, isEmergency } = request.body.intake;
      // Nobody of the staff approves as somebody outside, at least not with the same key.
      const known = staff.list().flatMap(({ name }) => staff.passkeysOf(staff.byName(name)?.id ?? new Uint8Array()));
      const person = { id: new Uint8Array(randomBytes(idBytes)), name: outsider.name };
      const made = await passkeys.enrolOptions({ staff: person, code, known, passedMs });
      const summary = `${authority.name} (${authority.country})${isEmergency ? ", emergency" : ""}: ${String(pack.accounts)}`;
      return { body: { name: outsider.name, host: options.host, packageHash: toHex(pack.digest), summary, options: made } };
    },

    async "outside-enrol"(input: Input, { nowMs, passedMs }: Times): Promise<Done> {
      const code = input.text("code", { most: longestCode });
      const response = input.opaque("response");
      input.end();
      ofCode(code, nowMs);
      const passkey = await passkeys.enrolled({ code, response, staffId: new Uint8Array(randomBytes(idBytes)), passedMs });
      const key = toBase64Url(new Uint8Array(randomBytes(secretBytes)));
      const { number, name, pack } = transaction(() => {
        // The library was waited for: the link counts if nobody used it meanwhile.
        const { request, pack: now, outsider } = ofCode(code, nowMs);
        if (staff.passkey(passkey.credential) !== undefined) throw new DeskError("other_person");
        if (looks.size >= maxLooking) throw new DeskError("rate_limited", lookMs);
        if (!packages.useCode(hashOfCode(code), nowMs)) throw new DeskError("code_refused");
        trail.append({ actor: "somebody", act: "link to approve used", details: { request: request.number } }, nowMs);
        return { number: request.number, name: outsider.name, pack: now };
      });
      looks.set(nameOf(key), { number, name, digest: pack.digest, codeHash: hashOfCode(code), passkey, untilMs: passedMs + lookMs });
      const options_ = await approving.options(pack.digest, [passkey]);
      return { body: { options: options_, key, manifest: new TextDecoder().decode(pack.manifest) } };
    },

    "outside-file"(input: Input, { passedMs }: Times): Done {
      const look = ofKey(input.text("key", { most: longestCode }), passedMs);
      const name = input.text("name", { most: 100 });
      input.end();
      const { request, pack } = shown(look);
      const isNamed = releaseFileName.test(name) && decodeManifest(pack.manifest).files.some((file) => file.name === name);
      const bytes = isNamed ? packages.file(request, name) : undefined;
      if (bytes === undefined) throw new DeskError("not_found");
      return { body: { bytes: toBase64Url(bytes) } };
    },

    async "outside-approve"(input: Input, { nowMs, passedMs }: Times): Promise<Done> {
      const key = input.text("key", { most: longestCode });
      const response = input.opaque("response");
      input.end();
      const look = ofKey(key, passedMs);
      const { digest, passkey, name, number } = look;
      shown(look);
      const held = await approving.held(passkey, response, digest);
      // The library was waited for.
      shown(look);
      approving.byOutsider(number, { name, held, digest, nowMs });
      looks.delete(nameOf(key));
      return { body: {} };
    },
  };
}

/** Comparing hashes tells nobody who measures how much of a secret was right. */
function nameOf(key: string): string {
  return toHex(sha256(utf8Bytes(key)));
}
